//! Two-dimensional rotary position embedding of EVA02.

/// Rotation of the patch tokens' queries and keys by their place in the grid.
///
/// The class token at position 0 and tokens after the last patch are left as they are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rope {
    /// `[patches, head_dim / 2]`.
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
}

impl Rope {
    /// Tables for a square grid of side `grid`, its coordinates rescaled to `reference` cells.
    ///
    /// With `n = head_dim / 4` bands `10000^(-i/n)`, pairs `0..n` turn with the row and `n..2n` with
    /// the column (EVA-02, Fang et al. 2023).
    pub(crate) fn new(grid: usize, reference: usize, head_dim: usize) -> Self {
        let bands = head_dim / 4;
        let band = |i: usize| 10_000f64.powf(-(i as f64) / bands as f64);
        let place = |i: usize| i as f64 / grid as f64 * reference as f64;
        let angles: Vec<f64> = (0..grid * grid)
            .flat_map(|patch| [patch / grid, patch % grid])
            .flat_map(|coordinate| (0..bands).map(move |i| place(coordinate) * band(i)))
            .collect();
        Self {
            cos: angles.iter().map(|a| a.cos() as f32).collect(),
            sin: angles.iter().map(|a| a.sin() as f32).collect(),
            half: 2 * bands,
        }
    }

    /// Turns one head's row of token `position`; `inverse` turns back, which is the gradient.
    pub(crate) fn turn(&self, position: usize, row: &mut [f32], inverse: bool) {
        let Some(patch) = position.checked_sub(1) else {
            return;
        };
        let range = patch * self.half..(patch + 1) * self.half;
        let (Some(cos), Some(sin)) = (self.cos.get(range.clone()), self.sin.get(range)) else {
            return;
        };
        let sign = if inverse { -1.0 } else { 1.0 };
        for ((pair, c), s) in row.chunks_exact_mut(2).zip(cos).zip(sin) {
            let (a, b, s) = (pair[0], pair[1], sign * s);
            pair[0] = a * c - b * s;
            pair[1] = b * c + a * s;
        }
    }

    /// Cosines and sines of `tokens` tokens, each `[tokens, head_dim / 2]`; tokens that have no place
    /// turn by zero.
    pub(crate) fn tables(&self, tokens: usize) -> (Vec<f32>, Vec<f32>) {
        let patches = self.cos.len() / self.half.max(1);
        let spread = |table: &[f32], still: f32| {
            let mut values = vec![still; tokens * self.half];
            let count = patches.min(tokens.saturating_sub(1)) * self.half;
            values[self.half..][..count].copy_from_slice(&table[..count]);
            values
        };
        (spread(&self.cos, 1.0), spread(&self.sin, 0.0))
    }

    /// Number of values in a stored `[patches, head_dim]` table.
    pub(crate) fn len(&self) -> usize {
        2 * self.cos.len()
    }

    /// Largest difference from a stored `[patches, head_dim]` cosine or sine table.
    pub(crate) fn distance(&self, stored: &[f32], is_sine: bool) -> f32 {
        let table = if is_sine { &self.sin } else { &self.cos };
        // Stored tables repeat each angle for both members of a pair.
        let repeated = table.iter().flat_map(|v| [v, v]);
        repeated
            .zip(stored)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max)
    }
}
