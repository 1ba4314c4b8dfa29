//! Floating-point operations of the towers; a multiplication and an addition count as two.

use harness_backbone::{ImageDims, TextDims};

/// Prompts that are encoded together, by what is computed of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prompts {
    /// Positions; those that prompts share count once.
    rows: f64,
    /// Prompts.
    ends: f64,
    /// Pairs of a position and one that it sees.
    pairs: f64,
}

impl Prompts {
    /// Prompts whose first `shared` positions are computed once, each with `rest` more.
    pub(super) fn new(shared: usize, rests: impl IntoIterator<Item = usize>) -> Self {
        let (shared, seen) = (shared as f64, |n: f64| n * (n + 1.0) / 2.0);
        let mut prompts = Self {
            rows: shared,
            ends: 0.0,
            pairs: seen(shared),
        };
        for rest in rests {
            let rest = rest as f64;
            prompts.rows += rest;
            prompts.ends += 1.0;
            prompts.pairs += rest * shared + seen(rest);
        }
        prompts
    }
}

/// Forward pass of prompts. The last block computes keys and values of all positions, and the rest
/// of the end tokens alone.
pub(super) fn of_prompts(dims: &TextDims, prompts: Prompts) -> f64 {
    let Prompts { rows, ends, pairs } = prompts;
    // Keys and values; queries and the map after attention; the two of the feed-forward half.
    let (read, rest) = (2 * dims.width, 2 * dims.width + 2 * dims.mlp);
    let linear = |rows: f64, maps: usize| rows * product(&[2, dims.width, maps]);
    let attention = |pairs: f64| pairs * product(&[4, dims.width]);
    let block = linear(rows, read + rest) + attention(pairs);
    let last = linear(rows, read) + linear(ends, rest) + attention(pairs * ends / rows);
    (dims.layers - 1) as f64 * block + last
}

/// Forward pass of one image. The last block computes keys and values of all tokens, and the rest of
/// the class token alone.
pub(super) fn of_image(dims: &ImageDims) -> f64 {
    of_tokens(dims, 1)
}

/// Forward pass of one image whose last block computes the rest of `ends` tokens.
fn of_tokens(dims: &ImageDims, ends: usize) -> f64 {
    let tokens = dims.patches + 1;
    // EVA02's feed-forward half has three maps.
    let inner = if dims.has_rope { 3 } else { 2 };
    let (read, rest) = (2 * dims.width, 2 * dims.width + inner * dims.mlp);
    let linear = |rows: usize, maps: usize| product(&[2, rows, dims.width, maps]);
    let attention = |queries: usize| product(&[4, dims.width, queries, tokens]);
    let block = linear(tokens, read + rest) + attention(tokens);
    let last = linear(tokens, read) + linear(ends, rest) + attention(ends);
    let patch = 3 * dims.patch_size * dims.patch_size * dims.width;
    (dims.layers - 1) as f64 * block + last + product(&[2, dims.patches, patch])
}

fn product(factors: &[usize]) -> f64 {
    factors.iter().map(|factor| *factor as f64).product()
}

#[cfg(test)]
mod tests {
    use harness_backbone::{clip_b16, clip_l14};

    use super::*;

    #[test]
    fn what_prompts_share_counts_once() {
        let dims = clip_b16().text;
        let of = |shared, rest, count| {
            of_prompts(
                &dims,
                Prompts::new(shared, std::iter::repeat_n(rest, count)),
            )
        };
        // One prompt costs the same however it is cut.
        assert!((of(17, 7, 1) / of(0, 24, 1) - 1.0).abs() < 1e-9);
        let saved = of(0, 24, 100) / of(17, 7, 100);
        assert!((3.0..3.6).contains(&saved), "{saved}");
    }

    /// open_clip's `model_profile.csv`, to three digits.
    #[test]
    fn operations_are_those_of_open_clips_profile() {
        let models = [(clip_b16(), 5.96e9, 35.1e9), (clip_l14(), 13.3e9, 162e9)];
        for (dims, text, image) in models {
            // The profile counts all pairs and the whole last block.
            let whole = Prompts {
                rows: 77.0,
                ends: 77.0,
                pairs: 77.0 * 77.0,
            };
            assert!((of_prompts(&dims.text, whole) / text - 1.0).abs() < 5e-3);
            let whole = of_tokens(&dims.image, dims.image.patches + 1);
            assert!((whole / image - 1.0).abs() < 5e-3);
        }
    }
}
