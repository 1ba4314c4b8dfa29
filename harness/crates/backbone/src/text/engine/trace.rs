//! What a chunk keeps of its way through the blocks.

use std::ops::Range;
use std::sync::Arc;

use super::chunk::Chunk;
use super::model::Model;
use super::node::Queries;
use crate::engine::{Buffer, Pool};

/// How much is kept of a forward pass.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// What the backward pass needs.
    All,
    /// Keys and values, for the nodes that come after.
    KeysAndValues,
    Nothing,
}

/// Values of one block. R rows enter it and M of them leave it: all, or the ends after the last
/// block.
pub(super) struct Saved<T> {
    /// Normalised rows before attention, `[R, D]`.
    pub(super) normal_1: T,
    /// Their reciprocal deviations, `[R]`.
    pub(super) scale_1: T,
    /// Queries of the ends `[M, D]` in the last block; elsewhere they are in `qkv`.
    pub(super) query: T,
    /// Attention weights of all heads.
    pub(super) scores: T,
    /// Normalised rows before the MLP, `[M, D]`.
    pub(super) normal_2: T,
    /// Their reciprocal deviations, `[M]`.
    pub(super) scale_2: T,
    /// The MLP before its activation, `[M, F]`.
    pub(super) hidden: T,
    /// Normalised ends before the projection, `[M, D]`, in the last block.
    pub(super) normal_3: T,
    /// Their reciprocal deviations, `[M]`.
    pub(super) scale_3: T,
}

/// Lengths of the parts of one block, in the order of [`Saved`].
fn lengths(chunk: &Chunk, model: &Model, layer: usize) -> [usize; 9] {
    let queries = queries(model, layer);
    let (rows, d) = (chunk.rows, model.width);
    let left = queries.of_chunk(rows, chunk.ends.len());
    let last = if queries == Queries::Ends { left } else { 0 };
    [
        rows * d,
        rows,
        last * d,
        model.heads * chunk.scores(queries),
        left * d,
        left,
        left * model.mlp,
        last * d,
        last,
    ]
}

/// Which rows pass the attention of a block.
pub(super) fn queries(model: &Model, layer: usize) -> Queries {
    match layer + 1 == model.layers.len() {
        true => Queries::Ends,
        false => Queries::All,
    }
}

/// The values of some adjacent blocks of a chunk.
pub(super) struct Trace {
    keep: Keep,
    /// The first of the blocks.
    first: usize,
    values: Buffer,
    stride: usize,
    /// Queries, keys and values `[R, 3 D]`, by block.
    packed: Buffer,
    packed_stride: usize,
}

impl Trace {
    pub(super) fn new(
        chunk: &Chunk,
        model: &Model,
        keep: Keep,
        blocks: Range<usize>,
        pool: &Arc<Pool>,
    ) -> Self {
        let (stride, packed_stride) = strides(chunk, model);
        let held = |kept: bool| if kept { blocks.len() } else { 1 };
        Self {
            keep,
            first: blocks.start,
            values: pool.take(stride * held(keep == Keep::All)),
            stride,
            packed: pool.take(packed_stride * held(keep != Keep::Nothing)),
            packed_stride,
        }
    }

    /// Values that the trace of a chunk holds of so many blocks.
    pub(super) fn size(chunk: &Chunk, model: &Model, keep: Keep, layers: usize) -> usize {
        let (stride, packed) = strides(chunk, model);
        match keep {
            Keep::All => layers * (stride + packed),
            Keep::KeysAndValues => stride + layers * packed,
            Keep::Nothing => stride + packed,
        }
    }

    pub(super) fn keeps_all(&self) -> bool {
        self.keep == Keep::All
    }

    /// Queries, keys and values of a block.
    pub(super) fn packed(&self, layer: usize) -> &[f32] {
        let start = self.packed_start(layer);
        &self.packed[start..start + self.packed_stride]
    }

    fn packed_start(&self, layer: usize) -> usize {
        match self.keep {
            Keep::Nothing => 0,
            _ => (layer - self.first) * self.packed_stride,
        }
    }

    fn start(&self, layer: usize) -> usize {
        match self.keep {
            Keep::All => (layer - self.first) * self.stride,
            _ => 0,
        }
    }

    pub(super) fn block(&self, chunk: &Chunk, model: &Model, layer: usize) -> Saved<&[f32]> {
        let mut rest = &self.values[self.start(layer)..];
        Saved::split(lengths(chunk, model, layer), |length| {
            let (part, after) = rest.split_at(length);
            rest = after;
            part
        })
    }

    /// The parts of a block and its queries, keys and values.
    pub(super) fn block_mut(
        &mut self,
        chunk: &Chunk,
        model: &Model,
        layer: usize,
    ) -> (Saved<&mut [f32]>, &mut [f32]) {
        let (start, packed) = (self.start(layer), self.packed_start(layer));
        let mut rest = &mut self.values[start..];
        let saved = Saved::split(lengths(chunk, model, layer), |length| {
            let (part, after) = std::mem::take(&mut rest).split_at_mut(length);
            rest = after;
            part
        });
        (saved, &mut self.packed[packed..packed + self.packed_stride])
    }
}

/// Values of a block that are kept for the backward pass, and its queries, keys and values.
fn strides(chunk: &Chunk, model: &Model) -> (usize, usize) {
    let last = model.layers.len() - 1;
    let of = |layer| lengths(chunk, model, layer).iter().sum::<usize>();
    (of(0).max(of(last)), 3 * chunk.rows * model.width)
}

impl<T> Saved<T> {
    fn split(lengths: [usize; 9], mut take: impl FnMut(usize) -> T) -> Self {
        let [a, b, c, d, e, f, g, h, i] = lengths;
        Self {
            normal_1: take(a),
            scale_1: take(b),
            query: take(c),
            scores: take(d),
            normal_2: take(e),
            scale_2: take(f),
            hidden: take(g),
            normal_3: take(h),
            scale_3: take(i),
        }
    }
}
