//! A group of images through all blocks.

use std::sync::Arc;

use super::attention::{Heads, attend};
use super::model::{Hidden, Model};
use super::trace::{Group, Trace};
use crate::engine::{Norm, Pool, Reads, Values};
use crate::image::forward::write_patches;
use crate::kernels::{activate, add, normalise, swiglu};
use crate::matrix::{Matrix, Target, add_product, set_product};
use crate::ops::WeightLayout;

/// What a pass over groups reads.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    pub(super) model: &'a Model,
    pub(super) values: &'a Values<'a>,
    /// The inputs of the request.
    pub(super) inputs: &'a [f32],
    pub(super) pool: &'a Arc<Pool>,
}

impl<'a> Pass<'a> {
    pub(super) fn norm(&self, norm: &Norm) -> (&'a [f32], &'a [f32], f32) {
        let (gain, bias) = (self.values.get(norm.gain), self.values.get(norm.bias));
        (gain, bias, norm.eps)
    }

    /// The map from the last norm to the features, `[D, E]`.
    pub(super) fn head(&self) -> Matrix<'a> {
        let (width, embed) = (self.model.sizes.width, self.model.sizes.embed);
        let weight = self.values.get(self.model.head);
        match self.model.head_layout {
            WeightLayout::InOut => Matrix::new(weight, width, embed),
            WeightLayout::OutIn => Matrix::new(weight, embed, width).t(),
        }
    }

    pub(super) fn heads(&self, layer: usize) -> Heads {
        let sizes = self.model.sizes;
        Heads {
            tokens: sizes.tokens,
            width: sizes.width,
            count: sizes.heads,
            queries: match layer + 1 == self.model.layers.len() {
                true => 1,
                false => sizes.tokens,
            },
        }
    }

    /// Number of each row that leaves a block's attention in the padded batch of the reference
    /// path, which decides dropout.
    pub(super) fn places(&self, group: Group, layer: usize) -> Vec<usize> {
        let tokens = self.model.sizes.tokens;
        let first = group.first * tokens;
        match layer + 1 == self.model.layers.len() {
            true => (0..group.images).map(|i| first + i * tokens).collect(),
            false => (first..first + group.images * tokens).collect(),
        }
    }

    /// Rotates queries and keys of packed rows, or turns their gradients back.
    pub(super) fn rotate(&self, packed: &mut [f32], inverse: bool) {
        let Some(rope) = &self.model.rope else { return };
        let (width, tokens) = (self.model.sizes.width, self.model.sizes.tokens);
        let dim = width / self.model.sizes.heads;
        for (row, packed) in packed.chunks_exact_mut(3 * width).enumerate() {
            for head in packed[..2 * width].chunks_exact_mut(dim) {
                rope.turn(row % tokens, head, inverse);
            }
        }
    }

    /// Class token, patches and appended tokens with their positions, `[images, S, D]`.
    fn embed(&self, group: Group, x: &mut [f32]) {
        let sizes = self.model.sizes;
        let (width, own) = (sizes.width, (1 + sizes.patches) * sizes.width);
        let class = self.values.get(self.model.class_token);
        let positions = self.values.get(self.model.positions);
        let bias = self.model.patch_bias.map(|bias| self.values.get(bias));
        for (image, x) in x.chunks_exact_mut(sizes.tokens * width).enumerate() {
            let (x, mut rest) = x.split_at_mut(own);
            x.copy_from_slice(&positions[..own]);
            add(&mut x[..width], class);
            for row in x[width..].chunks_exact_mut(width) {
                if let Some(bias) = bias {
                    add(row, bias);
                }
            }
            for tokens in &self.model.appended {
                let (next, after) = rest.split_at_mut(tokens.count * width);
                next.copy_from_slice(&self.inputs[tokens.of_image(group.first + image, width)]);
                rest = after;
            }
        }
        let inner = 3 * sizes.patch * sizes.patch;
        let rows = group.rows(self.model);
        let mut patches = self.pool.take(rows * inner);
        let pixels = 3 * sizes.side * sizes.side;
        let pixels = &self.values.get(self.model.pixels)[group.first * pixels..];
        write_patches(
            pixels,
            (sizes.side, sizes.patch, sizes.tokens),
            group.images,
            &mut patches,
        );
        let weight = Matrix::new(self.values.get(self.model.patch_weight), width, inner);
        let patches = Matrix::new(&patches, rows, inner);
        add_product(Target::new(x, width), 1.0, patches, weight.t());
    }

    /// Replaces tokens at the input of a block.
    fn replace(&self, group: Group, layer: usize, x: &mut [f32]) {
        let (tokens, width) = (self.model.sizes.tokens, self.model.sizes.width);
        for edit in self
            .model
            .replaced
            .iter()
            .filter(|edit| edit.layer == layer)
        {
            for (image, x) in x.chunks_exact_mut(tokens * width).enumerate() {
                let new = edit.tokens.of_image(group.first + image, width);
                x[edit.start * width..][..new.len()].copy_from_slice(&self.inputs[new]);
            }
        }
    }

    /// Features `[images, E]` of a group, and its trace: of all blocks that gradients need if `keeps`.
    pub(super) fn forward(&self, group: Group, keeps: bool) -> (Vec<f32>, Trace) {
        let Pass {
            model,
            values,
            pool,
            ..
        } = *self;
        let (d, rows) = (model.sizes.width, group.rows(model));
        let mut trace = Trace::new(group, model, keeps.then_some(model.lowest), pool);
        let mut x = pool.take(rows * d);
        let mut y = pool.take(rows * d);
        let mut mixed = pool.take(rows * d);
        let mut active = pool.take(rows * model.sizes.mlp);
        let mut room = pool.take(model.sizes.tokens * model.sizes.tokens);
        let first = group.first * model.sizes.tokens;
        let all: Vec<usize> = (first..first + rows).collect();
        self.embed(group, &mut x);
        self.replace(group, 0, &mut x);
        if let Some(norm) = &model.ln_pre {
            let ends = trace.ends_mut(group, model);
            normalise(&x, self.norm(norm), ends.normal_pre, ends.scale_pre, &mut y);
            std::mem::swap(&mut x, &mut y);
        }
        for (layer, weights) in model.layers.iter().enumerate() {
            if layer > 0 {
                self.replace(group, layer, &mut x);
            }
            let saved = trace.block_mut(group, model, layer);
            normalise(
                &x,
                self.norm(&weights.ln_1),
                saved.normal_1,
                saved.scale_1,
                &mut y,
            );
            let from = Reads {
                rows: &y,
                places: &all,
            };
            weights.qkv.set(values, 0..3 * d, from, saved.packed, 3 * d);
            self.rotate(saved.packed, false);
            let left = group.left(model, layer);
            let mixed = &mut mixed[..left * d];
            let heads = self.heads(layer);
            attend(
                heads,
                saved.packed,
                mixed,
                &mut room[..heads.queries * heads.tokens],
            );
            if left < rows {
                for image in 0..group.images {
                    let start = image * model.sizes.tokens * d;
                    x.copy_within(start..start + d, image * d);
                }
            }
            let (x, y) = (&mut x[..left * d], &mut y[..left * d]);
            match &weights.inner_norm {
                Some(norm) => {
                    normalise(mixed, self.norm(norm), saved.mixed, saved.inner_scale, y);
                    mixed.copy_from_slice(y);
                }
                None => saved.mixed.copy_from_slice(mixed),
            }
            let places = self.places(group, layer);
            let from = |rows| Reads {
                rows,
                places: &places,
            };
            weights.out.add(values, from(mixed), x);
            normalise(
                x,
                self.norm(&weights.ln_2),
                saved.normal_2,
                saved.scale_2,
                y,
            );
            let wide = weights.down.inner;
            let active = &mut active[..left * wide];
            match &weights.hidden {
                Hidden::Plain { up, activation } => {
                    up.set(values, 0..wide, from(y), saved.hidden, wide);
                    activate(*activation, saved.hidden, active);
                }
                Hidden::SwiGlu { gate, up, norm } => {
                    gate.set(values, 0..wide, from(y), saved.hidden, wide);
                    up.set(values, 0..wide, from(y), saved.gated, wide);
                    let mut product = pool.take(left * wide);
                    swiglu(saved.hidden, saved.gated, &mut product);
                    normalise(
                        &product,
                        self.norm(norm),
                        saved.normal_3,
                        saved.scale_3,
                        active,
                    );
                }
            }
            weights.down.add(values, from(active), x);
        }
        let (embed, count) = (model.sizes.embed, group.images * d);
        let ends = trace.ends_mut(group, model);
        let y = &mut y[..count];
        normalise(
            &x[..count],
            self.norm(&model.ln_post),
            ends.normal_post,
            ends.scale_post,
            y,
        );
        let mut features = vec![0.0; group.images * embed];
        let target = Target::new(&mut features, embed);
        set_product(target, Matrix::new(y, group.images, d), self.head());
        if let Some(bias) = model.head_bias {
            let bias = values.get(bias);
            features
                .chunks_exact_mut(embed)
                .for_each(|row| add(row, bias));
        }
        (features, trace)
    }
}
