//! Attention of every token to all tokens of its image, by matrix products. Weights are computed
//! again for the gradients: keeping them would take more than all the rest of a block.

use crate::kernels::{dot, softmax, vectorised};
use crate::matrix::{Matrix, Target, add_product, set_product, set_scaled_product};

/// Shape of the heads of one image.
#[derive(Clone, Copy)]
pub(super) struct Heads {
    pub(super) tokens: usize,
    pub(super) width: usize,
    pub(super) count: usize,
    /// The first of an image's tokens that ask.
    pub(super) queries: usize,
}

impl Heads {
    fn dim(self) -> usize {
        self.width / self.count
    }

    fn scale(self) -> f32 {
        1.0 / (self.dim() as f32).sqrt()
    }

    /// Queries (0), keys (1) or values (2) of a head, `[rows, dim]`.
    fn part(self, packed: &[f32], part: usize, head: usize, rows: usize) -> Matrix<'_> {
        let start = part * self.width + head * self.dim();
        Matrix::strided(&packed[start..], rows, self.dim(), 3 * self.width)
    }

    /// Attention weights `[queries, tokens]` of a head.
    fn weights(self, packed: &[f32], head: usize, weights: &mut [f32]) {
        let keys = self.part(packed, 1, head, self.tokens).t();
        let queries = self.part(packed, 0, head, self.queries);
        let target = Target::new(weights, self.tokens);
        set_scaled_product(target, self.scale(), queries, keys);
        vectorised(
            #[inline(always)]
            || {
                for row in weights.chunks_exact_mut(self.tokens) {
                    softmax(&mut [], row);
                }
            },
        );
    }
}

/// The heads' output `[images, queries, D]` of packed rows `[images, tokens, 3 D]`.
pub(super) fn attend(heads: Heads, packed: &[f32], mixed: &mut [f32], weights: &mut [f32]) {
    let (rows, stride) = (heads.tokens * 3 * heads.width, heads.queries * heads.width);
    let images = packed
        .chunks_exact(rows)
        .zip(mixed.chunks_exact_mut(stride));
    for (packed, mixed) in images {
        for head in 0..heads.count {
            heads.weights(packed, head, weights);
            let values = heads.part(packed, 2, head, heads.tokens);
            let weights = Matrix::new(weights, heads.queries, heads.tokens);
            let target = Target::new(&mut mixed[head * heads.dim()..], heads.width);
            set_product(target, weights, values);
        }
    }
}

/// Adds to the gradients of packed rows `[images, tokens, 3 D]`, given that of the heads' output
/// `[images, queries, D]`. `room` has place for the weights of two heads.
pub(super) fn pull_attend(
    heads: Heads,
    packed: &[f32],
    grad: &[f32],
    d_packed: &mut [f32],
    room: &mut [f32],
) {
    let (rows, stride) = (heads.tokens * 3 * heads.width, heads.queries * heads.width);
    let (weights, slopes) = room.split_at_mut(heads.queries * heads.tokens);
    let images = packed.chunks_exact(rows).zip(grad.chunks_exact(stride));
    for ((packed, grad), d_packed) in images.zip(d_packed.chunks_exact_mut(rows)) {
        for head in 0..heads.count {
            heads.weights(packed, head, weights);
            let start = head * heads.dim();
            let grad = Matrix::strided(&grad[start..], heads.queries, heads.dim(), heads.width);
            let values = heads.part(packed, 2, head, heads.tokens);
            set_product(Target::new(slopes, heads.tokens), grad, values.t());
            let mut target = |part: usize, a: Matrix<'_>, b: Matrix<'_>| {
                let to = &mut d_packed[part * heads.width + start..];
                add_product(Target::new(to, 3 * heads.width), 1.0, a, b);
            };
            target(
                2,
                Matrix::new(weights, heads.queries, heads.tokens).t(),
                grad,
            );
            vectorised(
                #[inline(always)]
                || {
                    let pairs = weights.chunks_exact(heads.tokens);
                    for (weights, slopes) in pairs.zip(slopes.chunks_exact_mut(heads.tokens)) {
                        let total = dot(weights, slopes);
                        for (slope, weight) in slopes.iter_mut().zip(weights) {
                            *slope = weight * (*slope - total) * heads.scale();
                        }
                    }
                },
            );
            let slopes = Matrix::new(slopes, heads.queries, heads.tokens);
            target(0, slopes, heads.part(packed, 1, head, heads.tokens));
            target(1, slopes.t(), heads.part(packed, 0, head, heads.queries));
        }
    }
}
