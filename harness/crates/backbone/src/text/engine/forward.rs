//! A chunk through all blocks.

use std::ops::Range;
use std::sync::Arc;

use super::attention::{Attended, Heads, attend};
use super::chunk::Chunk;
use super::kernels::{activate, add, normalise};
use super::matrix::{Matrix, Target, set_product};
use super::model::Model;
use super::node::Queries;
use super::source::Source;
use super::trace::{Keep, Trace, queries};
use crate::engine::{Buffer, Norm, Pool, Reads, Values};
use crate::ops::WeightLayout;

/// What a pass over chunks reads.
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
        (
            self.values.get(norm.gain),
            self.values.get(norm.bias),
            norm.eps,
        )
    }

    /// The map from the last norm to the features.
    pub(super) fn projection(&self) -> Matrix<'a> {
        let (width, embed) = (self.model.width, self.model.embed);
        let weight = self.values.get(self.model.projection);
        match self.model.projection_layout {
            WeightLayout::InOut => Matrix::new(weight, width, embed),
            WeightLayout::OutIn => Matrix::new(weight, embed, width).t(),
        }
    }

    pub(super) fn heads(&self, layer: usize) -> Heads {
        Heads {
            count: self.model.heads,
            width: self.model.width,
            queries: queries(self.model, layer),
        }
    }

    /// Row `index` of the inputs.
    fn input(&self, index: usize) -> &'a [f32] {
        &self.inputs[index * self.model.width..][..self.model.width]
    }

    /// Queries, keys and values of a chunk's ancestors in one block.
    pub(super) fn past<'t>(
        &self,
        chunk: &Chunk,
        traces: &'t [Option<Trace>],
        layer: usize,
    ) -> Vec<&'t [f32]> {
        let ancestors = chunk.ancestors.iter().map(|ancestor| {
            let packed = traces[ancestor.chunk].as_ref().map(|t| t.packed(layer));
            &packed.unwrap_or_default()[3 * ancestor.row * self.model.width..]
        });
        ancestors.collect()
    }

    /// Rows that enter the first block.
    fn embed(&self, chunk: &Chunk) -> Buffer {
        let width = self.model.width;
        let tokens = self.values.get(self.model.tokens);
        let positions = self.values.get(self.model.positions);
        let mut x = self.pool.take(chunk.rows * width);
        let places = chunk.sources.iter().zip(&chunk.positions);
        for (row, (source, position)) in x.chunks_exact_mut(width).zip(places) {
            row.copy_from_slice(match *source {
                Source::Token(id) => &tokens[id as usize * width..][..width],
                Source::Input(index) => self.input(index),
            });
            add(row, &positions[position * width..][..width]);
        }
        x
    }

    /// Rows `[R, D]` of a chunk as they leave the blocks before `end`, and what is kept of these.
    /// `traces` has those of its ancestors.
    pub(super) fn lower(
        &self,
        chunk: &Chunk,
        traces: &[Option<Trace>],
        end: usize,
        keep: Keep,
    ) -> (Vec<f32>, Trace) {
        let mut trace = Trace::new(chunk, self.model, keep, 0..end, self.pool);
        let mut x = self.embed(chunk);
        self.blocks(chunk, traces, 0..end, &mut x, &mut trace);
        (x.to_vec(), trace)
    }

    /// Features `[ends, E]` of a chunk and what is kept of the blocks that computed them: all, or
    /// those from the block on that `entering` rows enter. `traces` has those of its ancestors.
    pub(super) fn forward(
        &self,
        chunk: &Chunk,
        traces: &[Option<Trace>],
        keep: Keep,
        entering: Entering<'_>,
    ) -> (Vec<f32>, Trace) {
        let Pass { model, pool, .. } = *self;
        let d = model.width;
        let blocks = entering.block..model.layers.len();
        let mut trace = Trace::new(chunk, model, keep, blocks.clone(), pool);
        let mut x = match entering.rows {
            Some(rows) => {
                let mut x = pool.take(rows.len());
                x.copy_from_slice(rows);
                x
            }
            None => self.embed(chunk),
        };
        self.blocks(chunk, traces, blocks, &mut x, &mut trace);
        let count = chunk.ends.len();
        let mut features = vec![0.0; count * model.embed];
        let (saved, _) = trace.block_mut(chunk, model, model.layers.len() - 1);
        let mut y = pool.take(count * d);
        normalise(
            &x[..count * d],
            self.norm(&model.ln_final),
            saved.normal_3,
            saved.scale_3,
            &mut y,
        );
        let target = Target::new(&mut features, model.embed);
        set_product(target, Matrix::new(&y, count, d), self.projection());
        (features, trace)
    }

    /// Rows `x` of a chunk through some blocks. After the last block of all, the first rows of `x`
    /// are the ends.
    fn blocks(
        &self,
        chunk: &Chunk,
        traces: &[Option<Trace>],
        blocks: Range<usize>,
        x: &mut [f32],
        trace: &mut Trace,
    ) {
        let Pass {
            model,
            values,
            pool,
            ..
        } = *self;
        let (d, wide) = (model.width, 3 * model.width);
        let mut y = pool.take(chunk.rows * d);
        let mut mixed = pool.take(chunk.rows * d);
        let mut active = pool.take(chunk.rows * model.mlp);
        let end_places: Vec<usize> = chunk.ends.iter().map(|row| chunk.places[*row]).collect();
        for layer in blocks {
            let weights = &model.layers[layer];
            for (row, input) in chunk.replaced_at(layer) {
                x[row * d..][..d].copy_from_slice(self.input(input));
            }
            let heads = self.heads(layer);
            let (saved, packed) = trace.block_mut(chunk, model, layer);
            normalise(
                x,
                self.norm(&weights.ln_1),
                saved.normal_1,
                saved.scale_1,
                &mut y,
            );
            let from = Reads {
                rows: &y,
                places: &chunk.places,
            };
            let places = match heads.queries {
                Queries::All => {
                    weights.qkv.set(values, 0..wide, from, packed, wide);
                    &chunk.places
                }
                Queries::Ends => {
                    weights.qkv.set(values, d..wide, from, packed, wide);
                    let ends = gather(&y, &chunk.ends, d);
                    let from = Reads {
                        rows: &ends,
                        places: &end_places,
                    };
                    weights.qkv.set(values, 0..d, from, saved.query, d);
                    let rows = gather(x, &chunk.ends, d);
                    x[..rows.len()].copy_from_slice(&rows);
                    &end_places
                }
            };
            let count = places.len();
            if count == 0 {
                break;
            }
            let past = self.past(chunk, traces, layer);
            let attended = Attended {
                query: match heads.queries {
                    Queries::All => (packed, wide),
                    Queries::Ends => (saved.query, d),
                },
                packed,
                past: &past,
            };
            let mixed = &mut mixed[..count * d];
            attend(chunk, heads, &attended, saved.scores, mixed);
            let x = &mut x[..count * d];
            let from = |rows| Reads { rows, places };
            weights.out.add(values, from(mixed), x);
            let y = &mut y[..count * d];
            normalise(
                x,
                self.norm(&weights.ln_2),
                saved.normal_2,
                saved.scale_2,
                y,
            );
            weights
                .up
                .set(values, 0..model.mlp, from(y), saved.hidden, model.mlp);
            let active = &mut active[..count * model.mlp];
            activate(model.activation, saved.hidden, active);
            weights.down.add(values, from(active), x);
        }
    }
}

/// Where the rows of a chunk enter.
#[derive(Clone, Copy)]
pub(super) struct Entering<'a> {
    pub(super) block: usize,
    /// The rows `[R, D]` before that block; without, they are embedded and `block` is 0.
    pub(super) rows: Option<&'a [f32]>,
}

/// Some rows of a matrix.
pub(super) fn gather(values: &[f32], rows: &[usize], width: usize) -> Vec<f32> {
    let rows = rows.iter().flat_map(|row| &values[row * width..][..width]);
    rows.copied().collect()
}
