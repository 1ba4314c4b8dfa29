//! What a group of images keeps of its way through the blocks.

use std::sync::Arc;

use super::model::{Hidden, Model};
use crate::engine::{Buffer, Pool};

/// Consecutive images that run through the blocks together.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub(super) first: usize,
    pub(super) images: usize,
}

impl Group {
    /// Token rows.
    pub(super) fn rows(&self, model: &Model) -> usize {
        self.images * model.sizes.tokens
    }

    /// Rows that leave the attention of a block: all, and of the last one the class tokens.
    pub(super) fn left(&self, model: &Model, layer: usize) -> usize {
        match layer + 1 == model.layers.len() {
            true => self.images,
            false => self.rows(model),
        }
    }
}

/// Values of one block. R rows enter it and M leave its attention.
pub(super) struct Saved<T> {
    /// Normalised rows before attention, `[R, D]`.
    pub(super) normal_1: T,
    /// Their reciprocal deviations, `[R]`.
    pub(super) scale_1: T,
    /// Queries, keys and values, rotated, `[R, 3 D]`.
    pub(super) packed: T,
    /// The heads' output `[M, D]`, normalised where there is an inner norm.
    pub(super) mixed: T,
    /// Reciprocal deviations of the inner norm, `[M]`.
    pub(super) inner_scale: T,
    /// Normalised rows before the MLP, `[M, D]`.
    pub(super) normal_2: T,
    /// Their reciprocal deviations, `[M]`.
    pub(super) scale_2: T,
    /// The MLP before its activation or, where it is gated, its gate, `[M, F]`.
    pub(super) hidden: T,
    /// What is gated, `[M, F]`.
    pub(super) gated: T,
    /// The gated values, normalised, `[M, F]`.
    pub(super) normal_3: T,
    /// Their reciprocal deviations, `[M]`.
    pub(super) scale_3: T,
}

fn lengths(group: Group, model: &Model, layer: usize) -> [usize; 11] {
    let (rows, left) = (group.rows(model), group.left(model, layer));
    let (d, weights) = (model.sizes.width, &model.layers[layer]);
    let wide = left * weights.down.inner;
    let (gated, scale_3) = match weights.hidden {
        Hidden::Plain { .. } => (0, 0),
        Hidden::SwiGlu { .. } => (wide, left),
    };
    let inner = weights.inner_norm.as_ref().map_or(0, |_| left);
    [
        rows * d,
        rows,
        3 * rows * d,
        left * d,
        inner,
        left * d,
        left,
        wide,
        gated,
        gated,
        scale_3,
    ]
}

/// Values before the first block and after the last.
pub(super) struct Ends<T> {
    /// Normalised rows of `ln_pre`, `[R, D]`.
    pub(super) normal_pre: T,
    pub(super) scale_pre: T,
    /// Normalised class tokens, `[images, D]`.
    pub(super) normal_post: T,
    pub(super) scale_post: T,
}

/// The values of a group from some block on; of the blocks below, one after the other in the
/// same place.
pub(super) struct Trace {
    first: usize,
    /// Where each block's values begin.
    starts: Vec<usize>,
    values: Buffer,
    ends: Buffer,
}

fn ends_lengths(group: Group, model: &Model) -> [usize; 4] {
    let d = model.sizes.width;
    let rows = model.ln_pre.as_ref().map_or(0, |_| group.rows(model));
    [rows * d, rows, group.images * d, group.images]
}

impl Trace {
    /// Keeps the blocks from `first` on; without it, none.
    pub(super) fn new(group: Group, model: &Model, first: Option<usize>, pool: &Arc<Pool>) -> Self {
        let first = first.unwrap_or(model.layers.len());
        let size = |layer| lengths(group, model, layer).iter().sum::<usize>();
        // Blocks that are not kept share the first place.
        let shared = (0..first).map(size).max().unwrap_or(0);
        let (mut starts, mut end) = (vec![0; first], shared);
        for layer in first..model.layers.len() {
            starts.push(end);
            end += size(layer);
        }
        Self {
            first,
            starts,
            values: pool.take(end),
            ends: pool.take(ends_lengths(group, model).iter().sum()),
        }
    }

    /// Values that a trace of a group holds.
    pub(super) fn size(group: Group, model: &Model, first: usize) -> usize {
        let size = |layer| lengths(group, model, layer).iter().sum::<usize>();
        let kept: usize = (first..model.layers.len()).map(size).sum();
        let shared = (0..first).map(size).max().unwrap_or(0);
        shared + kept + ends_lengths(group, model).iter().sum::<usize>()
    }

    pub(super) fn block_mut(
        &mut self,
        group: Group,
        model: &Model,
        layer: usize,
    ) -> Saved<&mut [f32]> {
        let mut rest = &mut self.values[self.starts[layer]..];
        Saved::split(lengths(group, model, layer), |length| {
            let (part, after) = std::mem::take(&mut rest).split_at_mut(length);
            rest = after;
            part
        })
    }

    pub(super) fn block(&self, group: Group, model: &Model, layer: usize) -> Saved<&[f32]> {
        debug_assert!(layer >= self.first, "block {layer} was not kept");
        let mut rest = &self.values[self.starts[layer]..];
        Saved::split(lengths(group, model, layer), |length| {
            let (part, after) = rest.split_at(length);
            rest = after;
            part
        })
    }

    pub(super) fn ends_mut(&mut self, group: Group, model: &Model) -> Ends<&mut [f32]> {
        let mut rest = &mut self.ends[..];
        Ends::split(ends_lengths(group, model), |length| {
            let (part, after) = std::mem::take(&mut rest).split_at_mut(length);
            rest = after;
            part
        })
    }

    pub(super) fn ends(&self, group: Group, model: &Model) -> Ends<&[f32]> {
        let mut rest = &self.ends[..];
        Ends::split(ends_lengths(group, model), |length| {
            let (part, after) = rest.split_at(length);
            rest = after;
            part
        })
    }
}

impl<T> Saved<T> {
    fn split(lengths: [usize; 11], mut take: impl FnMut(usize) -> T) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k] = lengths;
        Self {
            normal_1: take(a),
            scale_1: take(b),
            packed: take(c),
            mixed: take(d),
            inner_scale: take(e),
            normal_2: take(f),
            scale_2: take(g),
            hidden: take(h),
            gated: take(i),
            normal_3: take(j),
            scale_3: take(k),
        }
    }
}

impl<T> Ends<T> {
    fn split([a, b, c, d]: [usize; 4], mut take: impl FnMut(usize) -> T) -> Self {
        Self {
            normal_pre: take(a),
            scale_pre: take(b),
            normal_post: take(c),
            scale_post: take(d),
        }
    }
}
