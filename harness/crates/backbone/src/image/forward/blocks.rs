//! The two halves of a block, on some of the rows of a group of images.

use std::ops::Range;

use super::frozen::{Frozen, Sizes};
use super::rows;
use super::weights::{Hidden, Layer, Map};
use super::workspace::{Room, take};
use crate::matrix::{Matrix, Target, set_product, set_scaled_product};

/// Token rows of a group: `first`, `first + step` and so on.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) first: usize,
    pub(super) count: usize,
    /// 1, or the tokens of an image where class tokens alone are computed.
    pub(super) step: usize,
}

impl Rows {
    /// Calls `f` with each image, the places of its rows and the number of the first of them.
    fn each_image(self, tokens: usize, mut f: impl FnMut(usize, Range<usize>, usize)) {
        let mut done = 0;
        while done < self.count {
            let row = self.first + done * self.step;
            let (image, place) = (row / tokens, row % tokens);
            let rest = (tokens - place).div_ceil(self.step);
            let count = rest.min(self.count - done);
            f(image, place..place + count, done);
            done += count;
        }
    }
}

impl Frozen<'_> {
    /// `x + pending`, normalised, to queries, keys and values of adjacent rows from `first` on.
    pub(super) fn project(
        &self,
        layer: &Layer<'_>,
        pending: Option<&[f32]>,
        first: usize,
        x: &mut [f32],
        packed: &mut [f32],
        room: &mut Room,
    ) {
        let width = self.sizes.width;
        let counted = packed.len() / (3 * width);
        let normal = take(&mut room.rows, counted * width);
        rows::add_and_normalise(&layer.ln_1, pending, x, width, normal);
        layer.packed.set(normal, counted, packed);
        if let Some(bias) = &layer.packed.bias {
            rows::add_bias(bias, packed);
        }
        let Some(rope) = self.rope else { return };
        for (row, packed) in packed.chunks_exact_mut(3 * width).enumerate() {
            for head in packed[..2 * width].chunks_exact_mut(self.sizes.head_dim()) {
                rope.turn((first + row) % self.sizes.tokens, head, false);
            }
        }
    }

    /// What attention and MLP add to some rows of `x`, but for the MLP's bias. `x` begins with the
    /// first of the rows, `packed` with the group.
    pub(super) fn finish(
        &self,
        layer: &Layer<'_>,
        at: Rows,
        x: &mut [f32],
        packed: &[f32],
        room: &mut Room,
    ) {
        let (count, stride) = (at.count, at.step * self.sizes.width);
        self.attend(layer, at, packed, room);
        add(
            &layer.out,
            self.sizes,
            &room.rows,
            x,
            (count, stride),
            &mut room.gated,
        );
        self.feed_forward(layer, at, x, room);
    }

    /// The heads' output into the room's rows.
    fn attend(&self, layer: &Layer<'_>, at: Rows, packed: &[f32], room: &mut Room) {
        let Sizes { tokens, width, .. } = self.sizes;
        let mixed = take(&mut room.rows, self.sizes.padded(at.count) * width);
        let (columns, head_dim) = (3 * width, self.sizes.head_dim());
        let scale = 1.0 / (head_dim as f32).sqrt();
        at.each_image(tokens, |image, places, done| {
            let packed = &packed[image * tokens * columns..][..tokens * columns];
            let mixed = &mut mixed[done * width..][..places.len() * width];
            for head in (0..width).step_by(head_dim) {
                let part = |part: usize, rows: Range<usize>| {
                    let values = &packed[rows.start * columns + part * width + head..];
                    Matrix::strided(values, rows.len(), head_dim, columns)
                };
                let scores = take(&mut room.scores, places.len() * tokens);
                let target = Target::new(scores, tokens);
                let keys = part(1, 0..tokens).t();
                set_scaled_product(target, scale, part(0, places.clone()), keys);
                rows::softmax(tokens, scores);
                let weights = Matrix::new(scores, places.len(), tokens);
                let target = Target::new(&mut mixed[head..], width);
                set_product(target, weights, part(2, 0..tokens));
            }
        });
        if let Some(norm) = &layer.inner_norm {
            rows::normalise(norm, &mut mixed[..at.count * width]);
        }
    }

    fn feed_forward(&self, layer: &Layer<'_>, at: Rows, x: &mut [f32], room: &mut Room) {
        let width = self.sizes.width;
        let (counted, stride) = (self.sizes.padded(at.count), at.step * width);
        let normal = take(&mut room.rows, counted * width);
        rows::add_and_normalise(&layer.ln_2, layer.out.bias.as_deref(), x, stride, normal);
        let size = counted * layer.hidden.width();
        let hidden = take(&mut room.hidden, size);
        match &layer.hidden {
            Hidden::Plain { up, activation } => {
                up.set(normal, counted, hidden);
                rows::activate(*activation, up.bias.as_deref(), hidden);
            }
            Hidden::SwiGlu { gate, up, norm } => {
                let value = take(&mut room.gated, size);
                for (map, target) in [(gate, &mut *hidden), (up, &mut *value)] {
                    map.set(normal, counted, target);
                    if let Some(bias) = &map.bias {
                        rows::add_bias(bias, target);
                    }
                }
                rows::swiglu(hidden, value);
                rows::normalise(norm, hidden);
            }
        }
        add(
            &layer.down,
            self.sizes,
            hidden,
            x,
            (at.count, stride),
            &mut room.gated,
        );
    }
}

/// Adds a map's result, without its bias, to rows of `x` that begin `stride` apart. `values` has
/// the padded number of rows.
pub(super) fn add(
    map: &Map<'_>,
    sizes: Sizes,
    values: &[f32],
    x: &mut [f32],
    (rows, stride): (usize, usize),
    buffer: &mut Vec<f32>,
) {
    let counted = sizes.padded(rows);
    if counted == rows {
        return map.add(values, rows, x, stride);
    }
    let width = map.outer();
    let padded = take(buffer, counted * width);
    for (to, from) in padded.chunks_exact_mut(width).zip(x.chunks(stride)) {
        to.copy_from_slice(&from[..width]);
    }
    map.add(values, counted, padded, width);
    for (from, to) in padded.chunks_exact(width).zip(x.chunks_mut(stride)) {
        to[..width].copy_from_slice(from);
    }
}
