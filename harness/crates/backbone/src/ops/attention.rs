//! Multi-head self-attention on packed queries, keys and values, as one differentiable operation.

use std::sync::{Arc, OnceLock};

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::math::exp;
use super::rope::Rope;
use super::view::{slice, sum, tensor, with_values};

/// What attention needs besides its input.
#[derive(Debug, Clone)]
pub(crate) struct AttentionShape {
    /// Number of heads; the width must be a multiple of it.
    pub(crate) heads: usize,
    /// Whether position i sees only positions up to i.
    pub(crate) causal: bool,
    /// Rotation of queries and keys.
    pub(crate) rope: Option<Arc<Rope>>,
}

/// `softmax(q k^T / sqrt(head_dim)) v` per head: packed `[N, S, 3 D]` to `[N, S, D]`.
pub(crate) fn attention(packed: &Tensor, shape: &AttentionShape) -> Result<Tensor> {
    packed.contiguous()?.apply_op1(Attention {
        shape: shape.clone(),
        weights: OnceLock::new(),
    })
}

struct Attention {
    shape: AttentionShape,
    /// Softmax of the scores, `[N H, S, S]`, kept for the backward pass.
    weights: OnceLock<CpuStorage>,
}

/// Sizes of one call.
#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    length: usize,
    heads: usize,
    head_dim: usize,
}

/// Which third of a packed row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Query = 0,
    Key = 1,
    Value = 2,
}

impl Sizes {
    fn new(packed: &Shape, heads: usize) -> Result<Self> {
        let (batch, length, triple) = packed.dims3()?;
        if heads == 0 || triple % (3 * heads) != 0 {
            candle_core::bail!("attention: {triple} columns do not split into 3 x {heads} heads");
        }
        Ok(Self {
            batch,
            length,
            heads,
            head_dim: triple / (3 * heads),
        })
    }

    fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    fn scale(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }

    /// Layout of `[N H, S, head_dim]`.
    fn rows(&self) -> Layout {
        Layout::contiguous((self.batch * self.heads, self.length, self.head_dim))
    }

    /// Layout of `[N H, S, S]`.
    fn scores(&self) -> Layout {
        Layout::contiguous((self.batch * self.heads, self.length, self.length))
    }

    /// Calls `f(head-major row, token-major range start, position)` for every head's row.
    fn each_row(&self, columns: usize, offset: usize, mut f: impl FnMut(usize, usize, usize)) {
        for n in 0..self.batch {
            for h in 0..self.heads {
                for s in 0..self.length {
                    let row = ((n * self.heads + h) * self.length + s) * self.head_dim;
                    let token = (n * self.length + s) * columns + offset + h * self.head_dim;
                    f(row, token, s);
                }
            }
        }
    }

    /// `[M, K] x [K, N]` per head.
    fn product(
        &self,
        a: &CpuStorage,
        la: &Layout,
        b: &CpuStorage,
        lb: &Layout,
    ) -> Result<CpuStorage> {
        let (blocks, m, k) = la.shape().dims3()?;
        let n = lb.shape().dims3()?.2;
        a.matmul(b, (blocks, m, n, k), la, lb)
    }
}

impl Attention {
    /// One part of the packed input in head-major order; queries carry the scale.
    fn split(&self, packed: &[f32], sizes: Sizes, part: Part) -> CpuStorage {
        let width = sizes.width();
        let mut out = vec![0f32; sizes.batch * sizes.length * width];
        sizes.each_row(3 * width, part as usize * width, |row, token, position| {
            let target = &mut out[row..row + sizes.head_dim];
            target.copy_from_slice(&packed[token..token + sizes.head_dim]);
            if part != Part::Value
                && let Some(rope) = &self.shape.rope
            {
                rope.turn(position, target, false);
            }
            if part == Part::Query {
                target.iter_mut().for_each(|q| *q *= sizes.scale());
            }
        });
        CpuStorage::F32(out)
    }

    /// Writes a head-major gradient back into its part of the packed gradient.
    fn merge(&self, grad: CpuStorage, packed: &mut [f32], sizes: Sizes, part: Part) -> Result<()> {
        let CpuStorage::F32(mut grad) = grad else {
            candle_core::bail!("attention: expected f32 values");
        };
        let width = sizes.width();
        sizes.each_row(3 * width, part as usize * width, |row, token, position| {
            let source = &mut grad[row..row + sizes.head_dim];
            if part == Part::Query {
                source.iter_mut().for_each(|q| *q *= sizes.scale());
            }
            if part != Part::Value
                && let Some(rope) = &self.shape.rope
            {
                rope.turn(position, source, true);
            }
            packed[token..token + sizes.head_dim].copy_from_slice(source);
        });
        Ok(())
    }

    /// Number of positions that row `i` of `length` sees.
    fn visible(&self, i: usize, length: usize) -> usize {
        if self.shape.causal { i + 1 } else { length }
    }

    fn softmax(&self, scores: &mut CpuStorage, length: usize) {
        let CpuStorage::F32(values) = scores else {
            return;
        };
        for (i, row) in values.chunks_exact_mut(length).enumerate() {
            let (seen, hidden) = row.split_at_mut(self.visible(i % length, length));
            hidden.fill(0.0);
            let max = seen.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            seen.iter_mut().for_each(|v| *v = exp(*v - max));
            let total = 1.0 / sum(seen.iter().copied());
            seen.iter_mut().for_each(|v| *v *= total);
        }
    }

    /// Turns the gradient of the weights into that of the scores: `p * (d - sum(p d))`.
    fn softmax_gradient(weights: &CpuStorage, grad: &mut CpuStorage, length: usize) {
        let (CpuStorage::F32(weights), CpuStorage::F32(grad)) = (weights, grad) else {
            return;
        };
        let rows = weights
            .chunks_exact(length)
            .zip(grad.chunks_exact_mut(length));
        for (p, d) in rows {
            let total = sum(p.iter().zip(d.iter()).map(|(p, d)| p * d));
            for (p, d) in p.iter().zip(d) {
                *d = p * (*d - total);
            }
        }
    }

    fn packed_gradient(
        &self,
        packed: &[f32],
        weights: &CpuStorage,
        grad: &[f32],
        sizes: Sizes,
    ) -> Result<Vec<f32>> {
        let width = sizes.width();
        let (rows, scores) = (sizes.rows(), sizes.scores());
        let (columns, swapped) = (rows.transpose(1, 2)?, scores.transpose(1, 2)?);
        let mut out = vec![0f32; grad.len()];
        sizes.each_row(width, 0, |row, token, _| {
            out[row..row + sizes.head_dim].copy_from_slice(&grad[token..token + sizes.head_dim]);
        });
        let out = CpuStorage::F32(out);
        let mut result = vec![0f32; packed.len()];
        let value = self.split(packed, sizes, Part::Value);
        let mut d_scores = sizes.product(&out, &rows, &value, &columns)?;
        let d_value = sizes.product(weights, &swapped, &out, &rows)?;
        self.merge(d_value, &mut result, sizes, Part::Value)?;
        Self::softmax_gradient(weights, &mut d_scores, sizes.length);
        let key = self.split(packed, sizes, Part::Key);
        let d_query = sizes.product(&d_scores, &scores, &key, &rows)?;
        self.merge(d_query, &mut result, sizes, Part::Query)?;
        let query = self.split(packed, sizes, Part::Query);
        let d_key = sizes.product(&d_scores, &swapped, &query, &rows)?;
        self.merge(d_key, &mut result, sizes, Part::Key)?;
        Ok(result)
    }
}

impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, packed: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let sizes = Sizes::new(layout.shape(), self.shape.heads)?;
        let packed = slice(packed, layout, "attention")?;
        let (rows, scores) = (sizes.rows(), sizes.scores());
        let query = self.split(packed, sizes, Part::Query);
        let key = self.split(packed, sizes, Part::Key);
        let mut weights = sizes.product(&query, &rows, &key, &rows.transpose(1, 2)?)?;
        self.softmax(&mut weights, sizes.length);
        let value = self.split(packed, sizes, Part::Value);
        let mixed = sizes.product(&weights, &scores, &value, &rows)?;
        let mixed = slice(&mixed, &rows, "attention")?;
        let mut out = vec![0f32; mixed.len()];
        sizes.each_row(sizes.width(), 0, |row, token, _| {
            out[token..token + sizes.head_dim].copy_from_slice(&mixed[row..row + sizes.head_dim]);
        });
        // A second forward pass of one op object cannot happen: `attention` makes a fresh one.
        let _ = self.weights.set(weights);
        let shape = Shape::from((sizes.batch, sizes.length, sizes.width()));
        Ok((CpuStorage::F32(out), shape))
    }

    fn bwd(&self, packed: &Tensor, _out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let sizes = Sizes::new(packed.shape(), self.shape.heads)?;
        let Some(weights) = self.weights.get() else {
            candle_core::bail!("attention: backward before forward");
        };
        let result = with_values(packed, "attention", |packed| {
            with_values(grad, "attention", |grad| {
                self.packed_gradient(packed, weights, grad, sizes)
            })
        })???;
        Ok(Some(tensor(result, packed.shape())?))
    }
}
