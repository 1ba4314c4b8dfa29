//! Gradients of a chunk, from its features down to the lowest block that anything asks for.

use super::attention::{Attended, AttendedGradients, attend, pull_attend};
use super::chunk::Chunk;
use super::forward::{Pass, gather};
use super::kernels::{
    activate, add, add_row_products, add_rows, affine, pull_activate, pull_normalise,
};
use super::matrix::{Matrix, Target, set_product};
use super::node::Queries;
use super::source::Source;
use super::trace::Trace;
use crate::engine::{Buffer, Norm, Reads, WeightGradients};

/// What a chunk contributes to the gradients.
pub(super) struct Contribution {
    /// Of its ancestors' keys and values, `[L, A, 2 D]`.
    pub(super) past: Buffer,
    /// Of rows of the inputs: their index and place among `values`.
    pub(super) rows: Vec<(usize, usize)>,
    /// Gradients of those rows.
    pub(super) values: Vec<f32>,
    /// Of the weights among the inputs.
    pub(super) weights: Vec<f32>,
}

/// Which gradients are asked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// The lowest block whose input or weights get a gradient.
    pub(super) lowest: usize,
    /// Where weights begin among the inputs, and how many values they have.
    pub(super) weights: (usize, usize),
}

/// A chunk whose gradients are computed.
pub(super) struct Pulled<'a> {
    pub(super) chunk: &'a Chunk,
    pub(super) trace: &'a Trace,
    pub(super) traces: &'a [Option<Trace>],
    /// Gradients of the keys and values that later chunks read, `[L, R, 2 D]`.
    pub(super) read: Option<&'a [f32]>,
}

impl Pass<'_> {
    /// Adds the gradients of a norm's gain and bias, given that of its output.
    fn pull_norm(&self, norm: &Norm, dy: &[f32], normal: &[f32], to: &mut WeightGradients<'_>) {
        if let Some(range) = self.values.gradient(norm.gain) {
            add_row_products(dy, normal, to.at(range));
        }
        if let Some(range) = self.values.gradient(norm.bias) {
            add_rows(dy, self.model.width, to.at(range));
        }
    }

    /// What a norm wrote, again.
    fn normed(&self, norm: &Norm, normal: &[f32]) -> Buffer {
        let mut y = self.pool.take(normal.len());
        let (gain, bias, _) = self.norm(norm);
        affine(normal, gain, bias, &mut y);
        y
    }

    /// Contribution of a chunk, given the gradient of its features `[ends, E]`.
    pub(super) fn backward(
        &self,
        pulled: &Pulled<'_>,
        features: &[f32],
        wanted: Wanted,
    ) -> Contribution {
        let Pass {
            model,
            values,
            pool,
            ..
        } = *self;
        let Pulled {
            chunk,
            trace,
            traces,
            read,
        } = *pulled;
        let (d, wide, layers) = (model.width, 3 * model.width, model.layers.len());
        let ancestors = chunk.ancestor_rows() * 2 * d;
        let mut result = Contribution {
            past: pool.zeros(layers * ancestors),
            rows: Vec::new(),
            values: Vec::new(),
            weights: vec![0.0; wanted.weights.1],
        };
        let mut gradients = WeightGradients {
            values: &mut result.weights,
            first: wanted.weights.0,
        };
        let mut dx = pool.zeros(chunk.rows * d);
        let mut dy = pool.take(chunk.rows * d);
        let mut d_mixed = pool.take(chunk.rows * d);
        let mut d_hidden = pool.take(chunk.rows * model.mlp);
        let mut d_packed = pool.take(chunk.rows * wide);
        let mut room = pool.take(chunk.widest_past());
        let end_places: Vec<usize> = chunk.ends.iter().map(|row| chunk.places[*row]).collect();
        let ends = chunk.ends.len();
        if ends > 0 {
            let saved = trace.block(chunk, model, layers - 1);
            let dy = &mut dy[..ends * d];
            let grad = Matrix::new(features, ends, model.embed);
            set_product(Target::new(dy, d), grad, self.projection().t());
            self.pull_norm(&model.ln_final, dy, saved.normal_3, &mut gradients);
            let gain = values.get(model.ln_final.gain);
            pull_normalise(dy, gain, saved.normal_3, saved.scale_3, &mut dx[..ends * d]);
        }
        for layer in (wanted.lowest..layers).rev() {
            let weights = &model.layers[layer];
            let heads = self.heads(layer);
            let saved = trace.block(chunk, model, layer);
            let packed = trace.packed(layer);
            let places = match heads.queries {
                Queries::All => &chunk.places,
                Queries::Ends => &end_places,
            };
            let count = places.len();
            fill_read(&mut d_packed, read, layer, chunk.rows, d);
            let mut d_query = None;
            if count > 0 {
                let dx = &mut dx[..count * d];
                let dy = &mut dy[..count * d];
                let d_hidden = &mut d_hidden[..count * model.mlp];
                if weights.down.needs_input() {
                    let mut active = pool.take(saved.hidden.len());
                    activate(model.activation, saved.hidden, &mut active);
                    let from = Reads {
                        rows: &active,
                        places,
                    };
                    weights
                        .down
                        .pull_weights(values, 0..d, (dx, d), from, &mut gradients);
                } else {
                    let from = Reads { rows: &[], places };
                    weights
                        .down
                        .pull_weights(values, 0..d, (dx, d), from, &mut gradients);
                }
                weights
                    .down
                    .pull(values, 0..d, (dx, d), places, (d_hidden, false));
                pull_activate(model.activation, saved.hidden, d_hidden);
                let hidden = (&*d_hidden, model.mlp);
                let normed = match weights.up.needs_input() {
                    true => Some(self.normed(&weights.ln_2, saved.normal_2)),
                    false => None,
                };
                let from = Reads {
                    rows: normed.as_deref().unwrap_or_default(),
                    places,
                };
                weights
                    .up
                    .pull_weights(values, 0..model.mlp, hidden, from, &mut gradients);
                weights
                    .up
                    .pull(values, 0..model.mlp, hidden, places, (dy, false));
                self.pull_norm(&weights.ln_2, dy, saved.normal_2, &mut gradients);
                let gain = values.get(weights.ln_2.gain);
                pull_normalise(dy, gain, saved.normal_2, saved.scale_2, dx);

                let past = self.past(chunk, traces, layer);
                let attended = Attended {
                    query: match heads.queries {
                        Queries::All => (packed, wide),
                        Queries::Ends => (saved.query, d),
                    },
                    packed,
                    past: &past,
                };
                let d_mixed = &mut d_mixed[..count * d];
                if weights.out.needs_input() {
                    let mut mixed = pool.take(count * d);
                    let mut scores = pool.take(saved.scores.len());
                    attend(chunk, heads, &attended, &mut scores, &mut mixed);
                    let from = Reads {
                        rows: &mixed,
                        places,
                    };
                    weights
                        .out
                        .pull_weights(values, 0..d, (dx, d), from, &mut gradients);
                } else {
                    let from = Reads { rows: &[], places };
                    weights
                        .out
                        .pull_weights(values, 0..d, (dx, d), from, &mut gradients);
                }
                weights
                    .out
                    .pull(values, 0..d, (dx, d), places, (d_mixed, false));
                if heads.queries == Queries::Ends {
                    d_query = Some(pool.take(count * d));
                }
                let mut to = AttendedGradients {
                    query: d_query.as_deref_mut(),
                    packed: &mut d_packed,
                    past: &mut result.past[layer * ancestors..][..ancestors],
                    room: &mut room,
                };
                pull_attend(chunk, heads, &attended, saved.scores, d_mixed, &mut to);
            }
            let normed = match weights.qkv.needs_input() {
                true => Some(self.normed(&weights.ln_1, saved.normal_1)),
                false => None,
            };
            let from = Reads {
                rows: normed.as_deref().unwrap_or_default(),
                places: &chunk.places,
            };
            let grad = (&*d_packed, wide);
            match heads.queries {
                Queries::All => {
                    weights
                        .qkv
                        .pull_weights(values, 0..wide, grad, from, &mut gradients);
                    weights
                        .qkv
                        .pull(values, 0..wide, grad, &chunk.places, (&mut dy, false));
                }
                Queries::Ends => {
                    weights
                        .qkv
                        .pull_weights(values, d..wide, grad, from, &mut gradients);
                    weights
                        .qkv
                        .pull(values, d..wide, grad, &chunk.places, (&mut dy, false));
                    let mut d_ends = pool.take(count * d);
                    if let Some(d_query) = d_query.as_deref() {
                        let normed = normed.as_deref().map(|rows| gather(rows, &chunk.ends, d));
                        let rows = normed.as_deref().unwrap_or_default();
                        let from = Reads { rows, places };
                        let grad = (d_query, d);
                        weights
                            .qkv
                            .pull_weights(values, 0..d, grad, from, &mut gradients);
                        weights
                            .qkv
                            .pull(values, 0..d, grad, places, (&mut d_ends, false));
                    }
                    let ends = gather(&dx[..count * d], &(0..count).collect::<Vec<_>>(), d);
                    dx.fill(0.0);
                    for (i, row) in chunk.ends.iter().enumerate() {
                        dx[row * d..][..d].copy_from_slice(&ends[i * d..][..d]);
                        add(&mut dy[row * d..][..d], &d_ends[i * d..][..d]);
                    }
                }
            }
            self.pull_norm(&weights.ln_1, &dy, saved.normal_1, &mut gradients);
            let gain = values.get(weights.ln_1.gain);
            pull_normalise(&mut dy, gain, saved.normal_1, saved.scale_1, &mut dx);
            for (row, input) in chunk.replaced_at(layer) {
                result.rows.push((input, result.values.len()));
                result.values.extend(&dx[row * d..][..d]);
                dx[row * d..][..d].fill(0.0);
            }
        }
        if wanted.lowest == 0 {
            for (row, source) in chunk.sources.iter().enumerate() {
                if let Source::Input(input) = source {
                    result.rows.push((*input, result.values.len()));
                    result.values.extend(&dx[row * d..][..d]);
                }
            }
        }
        result
    }
}

/// Begins the gradients of queries, keys and values with what later chunks read.
fn fill_read(packed: &mut [f32], read: Option<&[f32]>, layer: usize, rows: usize, d: usize) {
    packed.fill(0.0);
    let Some(read) = read else { return };
    let read = &read[layer * rows * 2 * d..][..rows * 2 * d];
    for (to, from) in packed.chunks_exact_mut(3 * d).zip(read.chunks_exact(2 * d)) {
        to[d..].copy_from_slice(from);
    }
}
