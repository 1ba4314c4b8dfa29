//! Groups of images through the blocks, on the threads of the pool.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::blocks::{Rows, add};
use super::frozen::{Frozen, Sizes};
use super::rows;
use super::workspace::{Room, Workspace, take};
use crate::error::Result;

/// Token rows of a group of images: enough that the kernel's packing of the weights is spread over
/// them, few enough for their buffers to stay in the cache.
const GROUP_ROWS: usize = 384;

/// Rows of an image for which a thread of its own pays.
const PART_ROWS: usize = 48;

/// A part of a group's rows: its first row, its part of two buffers, and room of its own.
type Part<'w> = (usize, &'w mut [f32], &'w mut [f32], &'w mut Room);

impl Frozen<'_> {
    /// Features `[B, E]`.
    pub(in crate::image) fn encode(&self) -> Result<Tensor> {
        let Sizes {
            images,
            tokens,
            embed,
            least,
            ..
        } = self.sizes;
        let threads = rayon::current_num_threads();
        let group = (GROUP_ROWS / tokens).max(1);
        let parts = threads.min(tokens / PART_ROWS.max(2 * least));
        // Images that are left once every thread has had as many.
        let left = match group == 1 && parts > 1 {
            true => images % threads,
            false => 0,
        };
        let mut features = vec![0f32; images * embed];
        let (even, rest) = features.split_at_mut((images - left) * embed);
        let encode = |workspace: &mut Workspace, (index, out): (usize, &mut [f32])| {
            self.group(workspace, index * group, out);
        };
        if threads > 1 {
            let groups = even.par_chunks_mut(group * embed).enumerate();
            groups.for_each_init(|| Workspace::in_parts(1), encode);
        } else {
            let mut workspace = Workspace::in_parts(1);
            let groups = even.chunks_mut(group * embed).enumerate();
            groups.for_each(|group| encode(&mut workspace, group));
        }
        let mut workspace = Workspace::in_parts(parts);
        for (index, out) in rest.chunks_mut(embed).enumerate() {
            self.group(&mut workspace, images - left + index, out);
        }
        Ok(Tensor::from_vec(features, (images, embed), &Device::Cpu)?)
    }

    /// The images from `first` on whose features fill `out`.
    fn group(&self, workspace: &mut Workspace, first: usize, out: &mut [f32]) {
        let Sizes {
            tokens,
            width,
            embed,
            ..
        } = self.sizes;
        let images = out.len() / embed;
        let rows = images * tokens;
        let counted = self.sizes.padded(rows);
        let Workspace { x, wide, rooms } = workspace;
        let x = take(x, rows * width);
        let inner = self.patch_weight.inner();
        let patches = take(wide, counted * inner);
        self.patches(first, images, patches);
        self.beginning(first, x);
        each_part(
            rows,
            (&mut *x, width),
            (patches, inner),
            rooms,
            |(_, x, patches, room)| {
                let at = (x.len() / width, width);
                add(
                    &self.patch_weight,
                    self.sizes,
                    patches,
                    x,
                    at,
                    &mut room.gated,
                );
            },
        );
        self.replace(0, first, x);
        if let Some(norm) = &self.ln_pre {
            rows::normalise(norm, x);
        }
        // The bias of the map that was last added to the residual stream.
        let mut pending: Option<&[f32]> = None;
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 && self.replaced.iter().any(|edit| edit.layer == index) {
                if let Some(bias) = pending.take() {
                    rows::add_bias(bias, x);
                }
                self.replace(index, first, x);
            }
            let packed = take(wide, counted * 3 * width);
            let columns = 3 * width;
            each_part(
                rows,
                (&mut *x, width),
                (packed, columns),
                rooms,
                |(first, x, packed, room)| {
                    self.project(layer, pending, first, x, packed, room);
                },
            );
            let packed = &wide[..counted * columns];
            if index + 1 < self.layers.len() {
                each_part(
                    rows,
                    (&mut *x, width),
                    (&mut [], 0),
                    rooms,
                    |(first, x, _, room)| {
                        let count = x.len() / width;
                        let at = Rows {
                            first,
                            count,
                            step: 1,
                        };
                        self.finish(layer, at, x, packed, room);
                    },
                );
            } else if let Some(room) = rooms.first_mut() {
                // Only the class tokens are read from here on.
                let at = Rows {
                    first: 0,
                    count: images,
                    step: tokens,
                };
                self.finish(layer, at, x, packed, room);
            }
            pending = layer.down.bias.as_deref();
        }
        let rows = self.sizes.padded(images);
        let Some(room) = rooms.first_mut() else {
            return;
        };
        let class = take(&mut room.rows, rows * width);
        rows::add_and_normalise(&self.ln_post, pending, x, tokens * width, class);
        let features = take(wide, rows * embed);
        self.head.set(class, rows, features);
        out.copy_from_slice(&features[..out.len()]);
        if let Some(bias) = &self.head.bias {
            rows::add_bias(bias, out);
        }
    }
}

/// Calls `f` with as many parts of `rows` rows as there are rooms, side by side. The last part has
/// all that is left of the second buffer.
fn each_part<'w>(
    rows: usize,
    (mut a, a_width): (&'w mut [f32], usize),
    (mut b, b_width): (&'w mut [f32], usize),
    rooms: &'w mut [Room],
    f: impl Fn(Part<'w>) + Send + Sync,
) {
    let count = rooms.len();
    let mut parts: Vec<Part<'w>> = Vec::with_capacity(count);
    for (i, room) in rooms.iter_mut().enumerate() {
        let (first, end) = (i * rows / count, (i + 1) * rows / count);
        let length = end - first;
        let own = if end == rows {
            b.len()
        } else {
            length * b_width
        };
        let (a_part, a_rest) = a.split_at_mut(length * a_width);
        let (b_part, b_rest) = b.split_at_mut(own);
        (a, b) = (a_rest, b_rest);
        parts.push((first, a_part, b_part, room));
    }
    match parts.len() {
        1 => parts.into_iter().for_each(f),
        _ => parts.into_par_iter().for_each(f),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_all_rows_in_order() {
        for (rows, count) in [(197, 1), (197, 2), (197, 4), (7, 3)] {
            let mut a = vec![0.0; rows * 2];
            let mut b = vec![0.0; rows * 3 + 5];
            let mut rooms = Workspace::in_parts(count).rooms;
            each_part(
                rows,
                (&mut a, 2),
                (&mut b, 3),
                &mut rooms,
                |(first, a, b, _)| {
                    a.iter_mut()
                        .enumerate()
                        .for_each(|(i, a)| *a = (2 * first + i) as f32);
                    b.iter_mut()
                        .enumerate()
                        .for_each(|(i, b)| *b = (3 * first + i) as f32);
                },
            );
            let is_counted =
                |values: &[f32]| values.iter().enumerate().all(|(i, v)| *v == i as f32);
            assert!(
                is_counted(&a) && is_counted(&b),
                "{count} parts of {rows} rows"
            );
        }
    }
}
