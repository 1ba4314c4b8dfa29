//! Gradients of a group of images, from their features down to the lowest block that anything asks for.

use super::attention::pull_attend;
use super::forward::Pass;
use super::model::{Hidden, Layer};
use super::trace::{Group, Saved, Trace};
use crate::engine::{Buffer, Norm, Reads, WeightGradients};
use crate::kernels::{
    activate, add, add_row_products, add_rows, affine, pull_activate, pull_normalise, pull_swiglu,
};
use crate::matrix::{Matrix, Target, set_product};

/// What a group contributes to the gradients of the inputs.
pub(super) struct Contribution {
    /// First value among the inputs and the gradient, of tokens.
    pub(super) tokens: Vec<(usize, Vec<f32>)>,
    pub(super) weights: Vec<f32>,
}

impl Pass<'_> {
    /// Adds the gradients of a norm's gain and bias, given that of its output.
    fn pull_norm(&self, norm: &Norm, dy: &[f32], normal: &[f32], to: &mut WeightGradients<'_>) {
        if let Some(range) = self.values.gradient(norm.gain) {
            add_row_products(dy, normal, to.at(range));
        }
        if let Some(range) = self.values.gradient(norm.bias) {
            let width = range.len();
            add_rows(dy, width, to.at(range));
        }
    }

    /// Gradient of what a norm read, given that of what it wrote, in place of what `dx` held.
    fn through_norm(
        &self,
        norm: &Norm,
        (normal, scale): (&[f32], &[f32]),
        dy: &mut [f32],
        dx: &mut [f32],
        to: &mut WeightGradients<'_>,
    ) {
        self.pull_norm(norm, dy, normal, to);
        dx.fill(0.0);
        pull_normalise(dy, self.values.get(norm.gain), normal, scale, dx);
    }

    /// What a norm wrote, again.
    fn normed(&self, norm: &Norm, normal: &[f32]) -> Buffer {
        let mut y = self.pool.take(normal.len());
        let (gain, bias, _) = self.norm(norm);
        affine(normal, gain, bias, &mut y);
        y
    }

    /// Contribution of a group, given the gradient of its features `[images, E]`.
    pub(super) fn backward(&self, group: Group, trace: &Trace, features: &[f32]) -> Contribution {
        let Pass {
            model,
            values,
            pool,
            ..
        } = *self;
        let (d, rows, tokens) = (model.sizes.width, group.rows(model), model.sizes.tokens);
        let mut result = Contribution {
            tokens: Vec::new(),
            weights: vec![0.0; model.weights.1],
        };
        let mut gradients = WeightGradients {
            values: &mut result.weights,
            first: model.weights.0,
        };
        let first = group.first * tokens;
        let all: Vec<usize> = (first..first + rows).collect();
        let mut dx = pool.zeros(rows * d);
        let mut dy = pool.take(rows * d);
        let ends = trace.ends(group, model);
        if let Some(range) = model.head_bias.and_then(|bias| values.gradient(bias)) {
            add_rows(features, model.sizes.embed, gradients.at(range));
        }
        let count = group.images * d;
        let grad = Matrix::new(features, group.images, model.sizes.embed);
        set_product(Target::new(&mut dy[..count], d), grad, self.head().t());
        let normal = (ends.normal_post, ends.scale_post);
        let (own, above) = (&mut dx[..count], &mut dy[..count]);
        self.through_norm(&model.ln_post, normal, above, own, &mut gradients);
        for layer in (model.lowest..model.layers.len()).rev() {
            let weights = &model.layers[layer];
            let saved = trace.block(group, model, layer);
            let left = group.left(model, layer);
            let places = self.places(group, layer);
            {
                let (dx, dy) = (&mut dx[..left * d], &mut dy[..left * d]);
                self.pull_mlp(weights, &saved, &places, (dx, dy), &mut gradients);
                pull_normalise(
                    dy,
                    values.get(weights.ln_2.gain),
                    saved.normal_2,
                    saved.scale_2,
                    dx,
                );
            }
            let mut packed = pool.zeros(rows * 3 * d);
            self.pull_attention(
                (weights, layer),
                &saved,
                &places,
                &dx[..left * d],
                &mut packed,
                &mut gradients,
            );
            if left < rows {
                // Only the class tokens were read after the last block's attention.
                dx[left * d..].fill(0.0);
                for image in (1..group.images).rev() {
                    let (start, to) = (image * d, image * tokens * d);
                    dx.copy_within(start..start + d, to);
                    dx[start..start + d].fill(0.0);
                }
            }
            let normed = match weights.qkv.needs_input() {
                true => Some(self.normed(&weights.ln_1, saved.normal_1)),
                false => None,
            };
            let from = Reads {
                rows: normed.as_deref().unwrap_or_default(),
                places: &all,
            };
            let grad = (&packed[..], 3 * d);
            weights
                .qkv
                .pull_weights(values, 0..3 * d, grad, from, &mut gradients);
            weights
                .qkv
                .pull(values, 0..3 * d, grad, &all, (&mut dy, false));
            self.pull_norm(&weights.ln_1, &dy, saved.normal_1, &mut gradients);
            let gain = values.get(weights.ln_1.gain);
            pull_normalise(&mut dy, gain, saved.normal_1, saved.scale_1, &mut dx);
            if layer > 0 {
                self.take_replaced(group, layer, &mut dx, &mut result.tokens);
            }
        }
        if model.is_edited_before {
            if let Some(norm) = &model.ln_pre {
                std::mem::swap(&mut dx, &mut dy);
                let normal = (ends.normal_pre, ends.scale_pre);
                self.through_norm(norm, normal, &mut dy, &mut dx, &mut gradients);
            }
            self.take_replaced(group, 0, &mut dx, &mut result.tokens);
            self.take_beginning(group, &dx, &mut result.tokens, &mut gradients);
        }
        result
    }

    /// Gradient of what the MLP's norm wrote into `dy`, given `dx`, that of the rows after the MLP.
    fn pull_mlp(
        &self,
        weights: &Layer,
        saved: &Saved<&[f32]>,
        places: &[usize],
        (dx, dy): (&[f32], &mut [f32]),
        gradients: &mut WeightGradients<'_>,
    ) {
        let (values, pool, d) = (self.values, self.pool, self.model.sizes.width);
        let wide = weights.down.inner;
        let active = weights.down.needs_input().then(|| match &weights.hidden {
            Hidden::Plain { activation, .. } => {
                let mut active = pool.take(saved.hidden.len());
                activate(*activation, saved.hidden, &mut active);
                active
            }
            Hidden::SwiGlu { norm, .. } => self.normed(norm, saved.normal_3),
        });
        let from = Reads {
            rows: active.as_deref().unwrap_or_default(),
            places,
        };
        weights
            .down
            .pull_weights(values, 0..d, (dx, d), from, gradients);
        let mut d_active = pool.take(places.len() * wide);
        weights
            .down
            .pull(values, 0..d, (dx, d), places, (&mut d_active, false));
        match &weights.hidden {
            Hidden::Plain { up, activation } => {
                pull_activate(*activation, saved.hidden, &mut d_active);
                let normed = up
                    .needs_input()
                    .then(|| self.normed(&weights.ln_2, saved.normal_2));
                let from = Reads {
                    rows: normed.as_deref().unwrap_or_default(),
                    places,
                };
                let grad = (&d_active[..], wide);
                up.pull_weights(values, 0..wide, grad, from, gradients);
                up.pull(values, 0..wide, grad, places, (dy, false));
            }
            Hidden::SwiGlu { gate, up, norm } => {
                let mut d_gate = pool.take(d_active.len());
                let normal = (saved.normal_3, saved.scale_3);
                self.through_norm(norm, normal, &mut d_active, &mut d_gate, gradients);
                // From the gradient of the product to those of its factors.
                pull_swiglu(saved.hidden, saved.gated, &mut d_gate, &mut d_active);
                let needs_input = gate.needs_input() || up.needs_input();
                let normed = needs_input.then(|| self.normed(&weights.ln_2, saved.normal_2));
                let from = Reads {
                    rows: normed.as_deref().unwrap_or_default(),
                    places,
                };
                for (map, grad, adds) in [(gate, &d_gate, false), (up, &d_active, true)] {
                    let grad = (&grad[..], wide);
                    map.pull_weights(values, 0..wide, grad, from, gradients);
                    map.pull(values, 0..wide, grad, places, (dy, adds));
                }
            }
        }
        self.pull_norm(&weights.ln_2, dy, saved.normal_2, gradients);
    }

    /// Gradients of packed queries, keys and values, before their rotation, given `dx`, that of the
    /// rows after attention.
    fn pull_attention(
        &self,
        (weights, layer): (&Layer, usize),
        saved: &Saved<&[f32]>,
        places: &[usize],
        dx: &[f32],
        packed: &mut [f32],
        gradients: &mut WeightGradients<'_>,
    ) {
        let (values, pool, d) = (self.values, self.pool, self.model.sizes.width);
        let normed = match &weights.inner_norm {
            Some(norm) if weights.out.needs_input() => Some(self.normed(norm, saved.mixed)),
            _ => None,
        };
        let from = Reads {
            rows: normed.as_deref().unwrap_or(saved.mixed),
            places,
        };
        weights
            .out
            .pull_weights(values, 0..d, (dx, d), from, gradients);
        let mut d_mixed = pool.take(dx.len());
        weights
            .out
            .pull(values, 0..d, (dx, d), places, (&mut d_mixed, false));
        if let Some(norm) = &weights.inner_norm {
            let mut before = pool.take(dx.len());
            let normal = (saved.mixed, saved.inner_scale);
            self.through_norm(norm, normal, &mut d_mixed, &mut before, gradients);
            d_mixed = before;
        }
        let heads = self.heads(layer);
        let mut room = pool.take(2 * heads.queries * heads.tokens);
        pull_attend(heads, saved.packed, &d_mixed, packed, &mut room);
        self.rotate(packed, true);
    }

    /// Takes the gradient of tokens that were replaced at the input of a block out of `dx`.
    fn take_replaced(
        &self,
        group: Group,
        layer: usize,
        dx: &mut [f32],
        to: &mut Vec<(usize, Vec<f32>)>,
    ) {
        let (tokens, width) = (self.model.sizes.tokens, self.model.sizes.width);
        for edit in self
            .model
            .replaced
            .iter()
            .filter(|edit| edit.layer == layer)
        {
            for (image, dx) in dx.chunks_exact_mut(tokens * width).enumerate() {
                let range = edit.tokens.of_image(group.first + image, width);
                let dx = &mut dx[edit.start * width..][..range.len()];
                to.push((range.start, dx.to_vec()));
                dx.fill(0.0);
            }
        }
    }

    /// Gradients of appended tokens and of the patches' bias, given that of the rows that enter.
    fn take_beginning(
        &self,
        group: Group,
        dx: &[f32],
        to: &mut Vec<(usize, Vec<f32>)>,
        gradients: &mut WeightGradients<'_>,
    ) {
        let sizes = self.model.sizes;
        let bias = self.model.patch_bias;
        let bias = bias.and_then(|bias| self.values.gradient(bias));
        for (image, dx) in dx.chunks_exact(sizes.tokens * sizes.width).enumerate() {
            let (own, mut rest) = dx.split_at((1 + sizes.patches) * sizes.width);
            if let Some(range) = &bias {
                for row in own[sizes.width..].chunks_exact(sizes.width) {
                    add(gradients.at(range.clone()), row);
                }
            }
            for tokens in &self.model.appended {
                let range = tokens.of_image(group.first + image, sizes.width);
                let (next, after) = rest.split_at(range.len());
                to.push((range.start, next.to_vec()));
                rest = after;
            }
        }
    }
}
