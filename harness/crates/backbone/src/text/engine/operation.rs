//! The engine as one differentiable operation.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

use super::backward::{Pulled, Wanted};
use super::chunk::Chunk;
use super::forward::{Entering, Pass};
use super::kernels::add;
use super::lower::{Beginning, LowerStates, States, size};
use super::model::Model;
use super::plan::Plan;
use super::source::Sequences;
use super::trace::{Keep, Trace};
use crate::engine::{Buffer, Inputs, Pool, in_order};
use crate::error::Result;
use crate::ops::view::{slice, tensor, with_values};
use crate::text::tower::TextTower;
use crate::text::work::{TextPath, TextWork};

/// Features `[N, E]` of sequences and their work; none where the tower needs the reference path.
pub(crate) fn encode(
    tower: &TextTower,
    mut sequences: Sequences,
) -> Result<Option<(Tensor, TextWork)>> {
    let mut inputs = Inputs::default();
    let mut lowest_row = None;
    let tracked = |tensor: &Tensor| tensor.track_op();
    for tensor in std::mem::take(&mut sequences.inputs) {
        if tracked(&tensor) {
            lowest_row.get_or_insert(inputs.length / tower.dims.width);
        }
        inputs.push(&tensor)?;
    }
    let weights_start = inputs.length;
    let Some(model) = Model::of(tower, &mut inputs)? else {
        return Ok(None);
    };
    sequences.sharing &= !model.has_dropout;
    let wanted = Wanted {
        lowest: lowest(&model, &sequences, lowest_row),
        weights: (weights_start, inputs.length - weights_start),
    };
    let flat = match inputs.tensors.is_empty() {
        true => None,
        false => Some(Tensor::cat(&inputs.tensors, 0)?),
    };
    let tracked = flat.as_ref().is_some_and(Tensor::track_op);
    // The last block is always run: it reads the ends alone.
    let first = match tracked {
        true => wanted.lowest.min(model.layers.len() - 1),
        false => 0,
    };
    let engine = Engine {
        plan: Plan::of(&sequences),
        first,
        beginning: Beginning::of(&model, &sequences, first),
        lower: Arc::clone(&tower.lower),
        model,
        wanted,
        most_kept: tower.activation_limit / size_of::<f32>(),
        pool: Arc::clone(&tower.pool),
        saved: OnceLock::new(),
    };
    let work = TextWork {
        path: TextPath::Kernels,
        tokens: sequences.tokens(),
        computed: Some(engine.plan.chunks.iter().map(|c| c.rows as u64).sum()),
        first_block: first,
    };
    let features = match flat {
        Some(flat) if tracked => flat.apply_op1(engine)?,
        flat => {
            let features = match flat {
                Some(flat) => with_values(&flat, "text tower", |f| engine.forward(f, false))??,
                None => engine.forward(&[], false)?,
            };
            tensor(features.0, &engine.shape())?
        }
    };
    Ok(Some((features, work)))
}

/// The lowest block that a gradient must reach.
fn lowest(model: &Model, sequences: &Sequences, first_tracked: Option<usize>) -> usize {
    let top = model.layers.len();
    let edited = model.layers.iter().position(|layer| layer.is_edited);
    let first = first_tracked.unwrap_or(usize::MAX);
    let of_position = |position: &super::source::Position| {
        let is_input = matches!(position.source, super::source::Source::Input(i) if i >= first);
        let replaced = position
            .replaced
            .iter()
            .filter(|(_, input)| *input >= first);
        let replaced = replaced.map(|(layer, _)| *layer).min().unwrap_or(top);
        if is_input { 0 } else { replaced }
    };
    let rows = sequences.positions.iter().map(of_position).min();
    edited.unwrap_or(top).min(rows.unwrap_or(top))
}

struct Engine {
    model: Model,
    plan: Plan,
    wanted: Wanted,
    /// The first block that is run for the features; what enters it may be known from an earlier step.
    first: usize,
    beginning: Option<Beginning>,
    lower: Arc<LowerStates>,
    /// Values that the traces of the request may hold. Chunks beyond it run forward again when
    /// their gradients are asked for, which gives the same bits.
    most_kept: usize,
    pool: Arc<Pool>,
    saved: OnceLock<Saved>,
}

/// What a forward pass leaves for the backward pass.
struct Saved {
    traces: Vec<Option<Trace>>,
    /// What enters the first block, unless that is block 0.
    states: Option<Arc<States>>,
}

impl Saved {
    fn entering(&self, block: usize, chunk: usize) -> Entering<'_> {
        let rows = self.states.as_ref().map(|states| states[chunk].as_slice());
        Entering { block, rows }
    }
}

impl Engine {
    fn shape(&self) -> Shape {
        Shape::from((self.plan.ends.len(), self.model.embed))
    }

    /// What is kept of each chunk, of `room` values.
    fn kept(&self, mut room: usize) -> Vec<Keep> {
        let blocks = self.model.layers.len() - self.first;
        let of_chunk = |chunk: &Chunk| {
            let size = Trace::size(chunk, &self.model, Keep::All, blocks);
            if size > room {
                return chunk.least_kept();
            }
            room -= size;
            Keep::All
        };
        self.plan.chunks.iter().map(of_chunk).collect()
    }

    /// Calls `work` for each chunk with the traces of the chunks of lower depth, and returns its
    /// results. The trace of a chunk stays if `kept` says so.
    fn each_chunk(
        &self,
        kept: &[Keep],
        work: impl Fn(&Chunk, usize, &[Option<Trace>]) -> (Vec<f32>, Trace) + Sync,
    ) -> (Vec<Vec<f32>>, Vec<Option<Trace>>) {
        let chunks = &self.plan.chunks;
        let mut traces: Vec<Option<Trace>> = chunks.iter().map(|_| None).collect();
        let mut results: Vec<Vec<f32>> = Vec::with_capacity(chunks.len());
        for depth in &self.plan.depths {
            let mut done = Vec::with_capacity(depth.len());
            in_order(
                depth.len(),
                |i| {
                    let at = depth.start + i;
                    let (result, trace) = work(&chunks[at], at, &traces);
                    (result, (kept[at] != Keep::Nothing).then_some(trace))
                },
                |_, (result, trace)| {
                    results.push(result);
                    done.push(trace);
                },
            );
            for (i, trace) in done.into_iter().enumerate() {
                traces[depth.start + i] = trace;
            }
        }
        (results, traces)
    }

    /// What enters the first block that is run for the features.
    fn states(&self, pass: &Pass<'_>) -> Arc<States> {
        self.lower
            .get(self.beginning.as_ref(), self.most_kept / 2, || {
                let kept: Vec<Keep> = self.plan.chunks.iter().map(Chunk::least_kept).collect();
                let work = |chunk: &Chunk, at: usize, traces: &[Option<Trace>]| {
                    pass.lower(chunk, traces, self.first, kept[at])
                };
                self.each_chunk(&kept, work).0
            })
    }

    /// Features, and what the backward pass needs.
    fn forward(&self, inputs: &[f32], keeps: bool) -> candle_core::Result<(Vec<f32>, Saved)> {
        let Self {
            model, plan, pool, ..
        } = self;
        self.model.with_values(inputs, |values| {
            let pass = Pass {
                model,
                values,
                inputs,
                pool,
            };
            let mut saved = Saved {
                traces: Vec::new(),
                states: (self.first > 0).then(|| self.states(&pass)),
            };
            let held = saved.states.as_deref().map_or(0, size);
            let kept = self.kept(if keeps {
                self.most_kept.saturating_sub(held)
            } else {
                0
            });
            let work = |chunk: &Chunk, at: usize, traces: &[Option<Trace>]| {
                pass.forward(chunk, traces, kept[at], saved.entering(self.first, at))
            };
            let (features, traces) = self.each_chunk(&kept, work);
            saved.traces = traces;
            let embed = model.embed;
            let rows = plan
                .ends
                .iter()
                .flat_map(|(chunk, end)| &features[*chunk][end * embed..][..embed]);
            (rows.copied().collect(), saved)
        })
    }

    /// Gradient of the inputs.
    fn backward(&self, inputs: &[f32], grad: &[f32]) -> candle_core::Result<Vec<f32>> {
        let Self {
            model,
            plan,
            pool,
            wanted,
            ..
        } = self;
        let Some(saved) = self.saved.get() else {
            candle_core::bail!("text tower: backward before forward");
        };
        let traces = &saved.traces;
        let features = self.by_chunk(grad);
        let (d, layers) = (model.width, model.layers.len());
        let mut result = vec![0f32; inputs.len()];
        let mut read: Vec<Option<Buffer>> = plan
            .chunks
            .iter()
            .map(|c| c.is_read.then(|| pool.zeros(layers * c.rows * 2 * d)))
            .collect();
        model.with_values(inputs, |values| {
            let pass = Pass {
                model,
                values,
                inputs,
                pool,
            };
            for depth in plan.depths.iter().rev() {
                let (earlier, own) = read.split_at_mut(depth.start);
                in_order(
                    depth.len(),
                    |i| {
                        let at = depth.start + i;
                        let chunk = &plan.chunks[at];
                        let again;
                        let trace = match &traces[at] {
                            Some(trace) if trace.keeps_all() => trace,
                            _ => {
                                let entering = saved.entering(self.first, at);
                                again = pass.forward(chunk, traces, Keep::All, entering).1;
                                &again
                            }
                        };
                        let pulled = Pulled {
                            chunk,
                            trace,
                            traces,
                            read: own[i].as_deref(),
                        };
                        pass.backward(&pulled, &features[at], *wanted)
                    },
                    |i, new| {
                        let chunk = &plan.chunks[depth.start + i];
                        let rows = chunk.ancestor_rows();
                        for ancestor in &chunk.ancestors {
                            let Some(to) = &mut earlier[ancestor.chunk] else {
                                continue;
                            };
                            let there = plan.chunks[ancestor.chunk].rows;
                            let length = ancestor.length * 2 * d;
                            for layer in 0..layers {
                                let from = (layer * rows + ancestor.base) * 2 * d;
                                let start = (layer * there + ancestor.row) * 2 * d;
                                add(
                                    &mut to[start..start + length],
                                    &new.past[from..from + length],
                                );
                            }
                        }
                        for (input, from) in new.rows {
                            add(&mut result[input * d..][..d], &new.values[from..from + d]);
                        }
                        add(&mut result[wanted.weights.0..], &new.weights);
                    },
                );
            }
        })?;
        Ok(result)
    }

    /// Gradients of features `[N, E]` by chunk; equal prompts add up.
    fn by_chunk(&self, grad: &[f32]) -> Vec<Vec<f32>> {
        let embed = self.model.embed;
        let chunks = self.plan.chunks.iter();
        let mut features: Vec<Vec<f32>> = chunks.map(|c| vec![0.0; c.ends.len() * embed]).collect();
        for (row, (chunk, end)) in grad.chunks_exact(embed).zip(&self.plan.ends) {
            add(&mut features[*chunk][end * embed..][..embed], row);
        }
        features
    }
}

impl CustomOp1 for Engine {
    fn name(&self) -> &'static str {
        "text tower"
    }

    fn cpu_fwd(
        &self,
        inputs: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let inputs = slice(inputs, layout, "text tower")?;
        let (features, saved) = self.forward(inputs, true)?;
        // A second forward pass of one operation cannot happen: `encode` makes a fresh one.
        let _ = self.saved.set(saved);
        Ok((CpuStorage::F32(features), self.shape()))
    }

    fn bwd(
        &self,
        inputs: &Tensor,
        _features: &Tensor,
        grad: &Tensor,
    ) -> candle_core::Result<Option<Tensor>> {
        let gradient = with_values(inputs, "text tower", |inputs| {
            with_values(grad, "text tower", |grad| self.backward(inputs, grad))
        })???;
        Ok(Some(tensor(gradient, inputs.shape())?))
    }
}
