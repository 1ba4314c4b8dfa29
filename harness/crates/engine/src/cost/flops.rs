//! Floating-point operations of the towers; a multiplication and an addition count as two.

use harness_backbone::{ImageDims, TextDims};

/// Forward pass of one prompt of `tokens` tokens.
pub(super) fn of_prompt(dims: &TextDims, tokens: usize) -> f64 {
    // Attention's four maps, and the two of the feed-forward half.
    let maps = 4 * dims.width + 2 * dims.mlp;
    blocks(dims.layers, dims.width, maps, tokens)
}

/// Forward pass of one image.
pub(super) fn of_image(dims: &ImageDims) -> f64 {
    // EVA02's feed-forward half has three maps.
    let inner = if dims.has_rope { 3 } else { 2 };
    let maps = 4 * dims.width + inner * dims.mlp;
    let patch = 3 * dims.patch_size * dims.patch_size * dims.width;
    blocks(dims.layers, dims.width, maps, dims.patches + 1) + product(&[2, dims.patches, patch])
}

/// Linear maps with `width * maps` weights a block, and attention over all pairs of tokens.
fn blocks(layers: usize, width: usize, maps: usize, tokens: usize) -> f64 {
    let linear = product(&[2, layers, width, maps, tokens]);
    linear + product(&[4, layers, width, tokens, tokens])
}

fn product(factors: &[usize]) -> f64 {
    factors.iter().map(|factor| *factor as f64).product()
}

#[cfg(test)]
mod tests {
    use harness_backbone::{clip_b16, clip_l14};

    use super::*;

    /// open_clip's `model_profile.csv`, to three digits.
    #[test]
    fn operations_are_those_of_open_clips_profile() {
        let models = [(clip_b16(), 5.96e9, 35.1e9), (clip_l14(), 13.3e9, 162e9)];
        for (dims, text, image) in models {
            assert!((of_prompt(&dims.text, 77) / text - 1.0).abs() < 5e-3);
            assert!((of_image(&dims.image) / image - 1.0).abs() < 5e-3);
        }
    }
}
