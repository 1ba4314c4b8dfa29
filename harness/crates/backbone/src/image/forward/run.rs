//! Groups of images through the blocks.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::rows;
use super::weights::{Hidden, Layer, Map, Norm, Values};
use super::workspace::{Workspace, take};
use crate::edits::Replacement;
use crate::error::Result;
use crate::image::ImageTower;
use crate::image::edits::TokenEdits;
use crate::matrix::{Matrix, Target, set_product, set_scaled_product};
use crate::ops::Rope;

/// Token rows of a group of images: its buffers then fit the second-level cache, and the kernel's
/// packing of weights is spread over enough of them.
const GROUP_ROWS: usize = 384;

/// The kernel sums products of one row, and those with at most this many results, in another order
/// than larger ones. They are enlarged, so that an image by itself gets the features it has in a batch.
const SMALL_PRODUCT: usize = 256;

/// A tower whose weights, pixels and edits carry no gradient, with a batch of images.
pub(in crate::image) struct Frozen<'t> {
    sizes: Sizes,
    pixels: Values<'t>,
    patch_weight: Map<'t>,
    /// What every image's tokens are before the patches are added, `[1 + P, D]`.
    start: Vec<f32>,
    appended: Vec<Tokens<'t>>,
    replaced: Vec<(usize, usize, Tokens<'t>)>,
    ln_pre: Option<Norm<'t>>,
    layers: Vec<Layer<'t>>,
    ln_post: Norm<'t>,
    head: Map<'t>,
    rope: Option<&'t Rope>,
}

/// Tokens `[B, n, D]` of an edit.
struct Tokens<'t> {
    values: Values<'t>,
    count: usize,
}

#[derive(Clone, Copy)]
struct Sizes {
    images: usize,
    /// Pixels on a side of the image and of a patch.
    side: usize,
    patch: usize,
    /// Tokens of an image, appended ones included.
    tokens: usize,
    width: usize,
    heads: usize,
    embed: usize,
    /// Rows that every product is computed for at least.
    least: usize,
}

impl Sizes {
    fn grid(&self) -> usize {
        self.side / self.patch
    }

    /// Rows that a product of `rows` rows is computed for. What the surplus holds is not read.
    fn padded(&self, rows: usize) -> usize {
        rows.max(self.least)
    }

    fn head_dim(&self) -> usize {
        self.width / self.heads
    }
}

impl<'t> Tokens<'t> {
    fn of(tokens: &'t Tensor) -> Result<Self> {
        Ok(Self {
            values: Values::of(tokens)?,
            count: tokens.dim(1)?,
        })
    }

    /// Of one image.
    fn of_image(&self, image: usize, width: usize) -> &[f32] {
        let length = self.count * width;
        &self.values[image * length..(image + 1) * length]
    }
}

impl<'t> Frozen<'t> {
    /// None if a gradient may be asked for, or a weight has a low-rank change.
    pub(in crate::image) fn of(
        tower: &'t ImageTower,
        pixels: &'t Tensor,
        edits: &'t TokenEdits,
    ) -> Result<Option<Self>> {
        let edited = edits.replaced().iter().map(|r| &r.tokens);
        let mut given = edits.appended().iter().chain(edited).chain([pixels]);
        if given.any(|tensor| tensor.track_op() || !tensor.is_contiguous()) || tower.is_tracked() {
            return Ok(None);
        }
        let layers = tower.blocks.iter().map(Layer::of);
        let layers: Option<Vec<_>> = layers.collect::<Result<Vec<_>>>()?.into_iter().collect();
        let patch = Map::of_patches(&tower.patch_weight)?;
        let (Some(layers), Some(head)) = (layers, Map::of(&tower.head)?) else {
            return Ok(None);
        };
        let appended = edits.appended().iter().map(Tokens::of);
        let appended = appended.collect::<Result<Vec<_>>>()?;
        let replaced = edits.replaced().iter().map(|edit: &Replacement| {
            let tokens = Tokens::of(&edit.tokens)?;
            Ok((edit.layer, edit.start, tokens))
        });
        let dims = &tower.dims;
        let hidden = layers.iter().map(|layer| layer.hidden.width()).min();
        let narrowest = hidden
            .unwrap_or(usize::MAX)
            .min(dims.width)
            .min(head.outer());
        let extra: usize = appended.iter().map(|tokens| tokens.count).sum();
        Ok(Some(Self {
            sizes: Sizes {
                images: pixels.dim(0)?,
                side: dims.image_size,
                patch: dims.patch_size,
                tokens: 1 + dims.patches + extra,
                width: dims.width,
                heads: dims.heads,
                embed: head.outer(),
                least: SMALL_PRODUCT / narrowest.max(1) + 2,
            },
            pixels: Values::of(pixels)?,
            patch_weight: patch,
            start: start(tower)?,
            appended,
            replaced: replaced.collect::<Result<_>>()?,
            ln_pre: tower.ln_pre.as_ref().map(Norm::of).transpose()?,
            layers,
            ln_post: Norm::of(&tower.ln_post)?,
            head,
            rope: tower.attention.rope.as_deref(),
        }))
    }

    /// Features `[B, E]`.
    pub(in crate::image) fn encode(&self) -> Result<Tensor> {
        let Sizes {
            images,
            tokens,
            embed,
            ..
        } = self.sizes;
        let group = (GROUP_ROWS / tokens).max(1);
        let mut features = vec![0f32; images * embed];
        let encode = |workspace: &mut Workspace, (index, out): (usize, &mut [f32])| {
            self.group(workspace, index * group, out);
        };
        if rayon::current_num_threads() > 1 {
            let groups = features.par_chunks_mut(group * embed).enumerate();
            groups.for_each_init(Workspace::default, encode);
        } else {
            let mut workspace = Workspace::default();
            let groups = features.chunks_mut(group * embed).enumerate();
            groups.for_each(|group| encode(&mut workspace, group));
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
        self.tokens(workspace, first, images);
        self.replace(0, first, images, &mut workspace.x);
        if let Some(norm) = &self.ln_pre {
            let x = &mut workspace.x[..images * tokens * width];
            rows::normalise(norm, x);
        }
        // The bias of the map that was last added to the residual stream.
        let mut pending: Option<&[f32]> = None;
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 && self.replaced.iter().any(|(layer, ..)| *layer == index) {
                if let Some(bias) = pending.take() {
                    rows::add_bias(bias, &mut workspace.x[..images * tokens * width]);
                }
                self.replace(index, first, images, &mut workspace.x);
            }
            let is_last = index + 1 == self.layers.len();
            self.attend(layer, pending, workspace, images, is_last);
            feed_forward(layer, self.sizes, workspace, images, is_last);
            pending = layer.down.bias.as_deref();
        }
        self.project(pending, workspace, images, out);
    }

    /// Class, patch and appended tokens, before `ln_pre`.
    fn tokens(&self, workspace: &mut Workspace, first: usize, images: usize) {
        let Sizes {
            side,
            patch,
            tokens,
            width,
            ..
        } = self.sizes;
        let (grid, inner) = (self.sizes.grid(), 3 * patch * patch);
        let rows = images * tokens;
        let patches = take(&mut workspace.wide, self.sizes.padded(rows) * inner);
        patches.fill(0.0);
        let x = take(&mut workspace.x, rows * width);
        for image in 0..images {
            let pixels = &self.pixels[(first + image) * 3 * side * side..][..3 * side * side];
            let target = &mut patches[image * tokens * inner..][..tokens * inner];
            // Row 0 is the class token's.
            for (line, values) in pixels.chunks_exact(side).enumerate() {
                let (channel, y) = (line / side, line % side);
                let place = (channel * patch + y % patch) * patch;
                for (column, values) in values.chunks_exact(patch).take(grid).enumerate() {
                    let row = 1 + (y / patch) * grid + column;
                    target[row * inner + place..][..patch].copy_from_slice(values);
                }
            }
            let target = &mut x[image * tokens * width..][..tokens * width];
            let (own, mut rest) = target.split_at_mut(self.start.len());
            own.copy_from_slice(&self.start);
            for appended in &self.appended {
                let (next, after) = rest.split_at_mut(appended.count * width);
                next.copy_from_slice(appended.of_image(first + image, width));
                rest = after;
            }
        }
        let at = (rows, width);
        add(
            &self.patch_weight,
            self.sizes,
            patches,
            x,
            at,
            &mut workspace.gated,
        );
    }

    fn replace(&self, index: usize, first: usize, images: usize, x: &mut [f32]) {
        let Sizes { tokens, width, .. } = self.sizes;
        for (_, start, new) in self.replaced.iter().filter(|(layer, ..)| *layer == index) {
            for image in 0..images {
                let new = new.of_image(first + image, width);
                x[(image * tokens + start) * width..][..new.len()].copy_from_slice(new);
            }
        }
    }

    /// `x + pending`, and what the attention of a block adds to it.
    fn attend(
        &self,
        layer: &Layer<'_>,
        pending: Option<&[f32]>,
        workspace: &mut Workspace,
        images: usize,
        is_last: bool,
    ) {
        let Sizes { tokens, width, .. } = self.sizes;
        let rows = images * tokens;
        let x = take(&mut workspace.x, rows * width);
        let counted = self.sizes.padded(rows);
        let mixed = take(&mut workspace.rows, counted * width);
        let packed = take(&mut workspace.wide, counted * 3 * width);
        rows::add_and_normalise(&layer.ln_1, pending, x, width, mixed);
        layer.packed.set(mixed, counted, packed);
        if let Some(bias) = &layer.packed.bias {
            rows::add_bias(bias, packed);
        }
        self.turn(packed);
        // After the last block only the class tokens are read.
        let queries = if is_last { 1 } else { tokens };
        let (columns, head_dim) = (3 * width, self.sizes.head_dim());
        let scale = 1.0 / (head_dim as f32).sqrt();
        for image in 0..images {
            let packed = &packed[image * tokens * columns..][..tokens * columns];
            let mixed = &mut mixed[image * queries * width..][..queries * width];
            for head in (0..width).step_by(head_dim) {
                let part = |part: usize, rows| {
                    let values = &packed[part * width + head..];
                    Matrix::strided(values, rows, head_dim, columns)
                };
                let scores = take(&mut workspace.scores, queries * tokens);
                let target = Target::new(scores, tokens);
                set_scaled_product(target, scale, part(0, queries), part(1, tokens).t());
                rows::softmax(tokens, scores);
                let weights = Matrix::new(scores, queries, tokens);
                set_product(
                    Target::new(&mut mixed[head..], width),
                    weights,
                    part(2, tokens),
                );
            }
        }
        let rows = images * queries;
        if let Some(norm) = &layer.inner_norm {
            rows::normalise(norm, &mut mixed[..rows * width]);
        }
        let stride = if is_last { tokens * width } else { width };
        let at = (rows, stride);
        add(&layer.out, self.sizes, mixed, x, at, &mut workspace.gated);
    }

    /// Rotates queries and keys.
    fn turn(&self, packed: &mut [f32]) {
        let Some(rope) = self.rope else { return };
        let Sizes { tokens, width, .. } = self.sizes;
        for (row, packed) in packed.chunks_exact_mut(3 * width).enumerate() {
            for head in packed[..2 * width].chunks_exact_mut(self.sizes.head_dim()) {
                rope.turn(row % tokens, head, false);
            }
        }
    }

    /// Class tokens to features.
    fn project(
        &self,
        pending: Option<&[f32]>,
        workspace: &mut Workspace,
        images: usize,
        out: &mut [f32],
    ) {
        let Sizes {
            tokens,
            width,
            embed,
            ..
        } = self.sizes;
        let rows = self.sizes.padded(images);
        let class = take(&mut workspace.rows, rows * width);
        let x = &mut workspace.x[..images * tokens * width];
        rows::add_and_normalise(&self.ln_post, pending, x, tokens * width, class);
        let features = take(&mut workspace.wide, rows * embed);
        self.head.set(class, rows, features);
        out.copy_from_slice(&features[..out.len()]);
        if let Some(bias) = &self.head.bias {
            rows::add_bias(bias, out);
        }
    }
}

/// What the MLP of a block adds to `x`, in place; its bias and that of the attention are left out.
fn feed_forward(
    layer: &Layer<'_>,
    sizes: Sizes,
    workspace: &mut Workspace,
    images: usize,
    is_last: bool,
) {
    let Sizes { tokens, width, .. } = sizes;
    let (rows, stride) = match is_last {
        true => (images, tokens * width),
        false => (images * tokens, width),
    };
    let counted = sizes.padded(rows);
    let x = &mut workspace.x[..images * tokens * width];
    let normal = take(&mut workspace.rows, counted * width);
    rows::add_and_normalise(&layer.ln_2, layer.out.bias.as_deref(), x, stride, normal);
    let hidden = layer.hidden.width();
    let wide = take(&mut workspace.wide, counted * hidden);
    match &layer.hidden {
        Hidden::Plain { up, activation } => {
            up.set(normal, counted, wide);
            rows::activate(*activation, up.bias.as_deref(), wide);
        }
        Hidden::SwiGlu { gate, up, norm } => {
            let value = take(&mut workspace.gated, counted * hidden);
            for (map, target) in [(gate, &mut *wide), (up, &mut *value)] {
                map.set(normal, counted, target);
                if let Some(bias) = &map.bias {
                    rows::add_bias(bias, target);
                }
            }
            rows::swiglu(wide, value);
            rows::normalise(norm, wide);
        }
    }
    let at = (rows, stride);
    add(&layer.down, sizes, wide, x, at, &mut workspace.gated);
}

/// Adds a map's result, without its bias, to rows of `x` that begin `stride` apart. `values` has
/// the padded number of rows.
fn add(
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

/// Class token and positions, with the bias of the patches: `[1 + P, D]`.
fn start(tower: &ImageTower) -> Result<Vec<f32>> {
    let mut start = Values::of(&tower.positions)?.to_vec();
    let width = tower.dims.width;
    rows::add_bias(&Values::of(&tower.class_token)?, &mut start[..width]);
    if let Some(bias) = &tower.patch_bias {
        rows::add_bias(&Values::of(bias)?, &mut start[width..]);
    }
    Ok(start)
}
