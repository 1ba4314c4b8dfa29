//! Floating-point operations of the towers; a multiplication and an addition count as two.

use harness_backbone::{Activation, Dims, ImageDims, TextDims};

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

/// The published CLIP models by their widths, at 224 pixels with patches of 16 (B) or 14 (L);
/// an approximation for a backbone whose files are not on disk.
pub(super) fn nominal(text_width: usize, image_width: usize, image_layers: usize) -> Dims {
    let patch_size = if image_width < 1024 { 16 } else { 14 };
    Dims {
        embed_dim: text_width,
        text: TextDims {
            width: text_width,
            layers: 12,
            heads: text_width / 64,
            context_length: 77,
            vocab_size: 49408,
            activation: Activation::QuickGelu,
            mlp: 4 * text_width,
        },
        image: ImageDims {
            width: image_width,
            layers: image_layers,
            heads: image_width / 64,
            patch_size,
            image_size: 224,
            patches: (224 / patch_size) * (224 / patch_size),
            has_ln_pre: true,
            has_rope: false,
            mlp: 4 * image_width,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// open_clip's `model_profile.csv`, to three digits.
    #[test]
    fn operations_are_those_of_open_clips_profile() {
        let models = [
            (nominal(512, 768, 12), 5.96e9, 35.1e9),
            (nominal(768, 1024, 24), 13.3e9, 162e9),
        ];
        for (dims, text, image) in models {
            assert!((of_prompt(&dims.text, 77) / text - 1.0).abs() < 5e-3);
            assert!((of_image(&dims.image) / image - 1.0).abs() < 5e-3);
        }
    }
}
