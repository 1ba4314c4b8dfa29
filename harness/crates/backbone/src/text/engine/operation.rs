//! The engine as one differentiable operation.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

use super::backward::{Pulled, Wanted};
use super::chunk::Chunk;
use super::forward::Pass;
use super::kernels::add;
use super::model::{Inputs, Model};
use super::parallel::in_order;
use super::plan::Plan;
use super::pool::{Buffer, Pool};
use super::source::Sequences;
use super::trace::{Keep, Trace};
use crate::error::Result;
use crate::ops::view::{slice, tensor, with_values};
use crate::text::tower::TextTower;

/// Features `[N, E]` of sequences; none where the tower needs the reference path.
pub(crate) fn encode(tower: &TextTower, mut sequences: Sequences) -> Result<Option<Tensor>> {
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
    let engine = Engine {
        plan: Plan::of(&sequences),
        model,
        wanted,
        most_kept: tower.activation_limit / size_of::<f32>(),
        pool: Arc::clone(&tower.pool),
        saved: std::sync::OnceLock::new(),
    };
    if inputs.tensors.is_empty() {
        let features = engine.forward(&[], false)?.0;
        return Ok(Some(tensor(features, &engine.shape())?));
    }
    let flat = Tensor::cat(&inputs.tensors, 0)?;
    if !flat.track_op() {
        let features = with_values(&flat, "text tower", |flat| engine.forward(flat, false))??.0;
        return Ok(Some(tensor(features, &engine.shape())?));
    }
    Ok(Some(flat.apply_op1(engine)?))
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
    /// Values that the traces of the request may hold. Chunks beyond it run forward again when
    /// their gradients are asked for, which gives the same bits.
    most_kept: usize,
    pool: Arc<Pool>,
    saved: std::sync::OnceLock<Vec<Option<Trace>>>,
}

impl Engine {
    fn shape(&self) -> Shape {
        Shape::from((self.plan.ends.len(), self.model.embed))
    }

    /// What is kept of each chunk.
    fn kept(&self, keeps: bool) -> Vec<Keep> {
        let mut room = if keeps { self.most_kept } else { 0 };
        let of_chunk = |chunk: &Chunk| {
            let size = Trace::size(chunk, &self.model, Keep::All);
            match (size <= room, chunk.is_read) {
                (true, _) => {
                    room -= size;
                    Keep::All
                }
                (false, true) => Keep::KeysAndValues,
                (false, false) => Keep::Nothing,
            }
        };
        self.plan.chunks.iter().map(of_chunk).collect()
    }

    /// Features, and the traces of the chunks.
    fn forward(
        &self,
        inputs: &[f32],
        keeps: bool,
    ) -> candle_core::Result<(Vec<f32>, Vec<Option<Trace>>)> {
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
            let kept = self.kept(keeps);
            let mut traces: Vec<Option<Trace>> = plan.chunks.iter().map(|_| None).collect();
            let mut features: Vec<Vec<f32>> = Vec::with_capacity(plan.chunks.len());
            for depth in &plan.depths {
                let mut done = Vec::with_capacity(depth.len());
                in_order(
                    depth.len(),
                    |i| {
                        let chunk = &plan.chunks[depth.start + i];
                        let keep = kept[depth.start + i];
                        let (features, trace) = pass.forward(chunk, &traces, keep);
                        (features, (keep != Keep::Nothing).then_some(trace))
                    },
                    |_, (new, trace)| {
                        features.push(new);
                        done.push(trace);
                    },
                );
                for (i, trace) in done.into_iter().enumerate() {
                    traces[depth.start + i] = trace;
                }
            }
            let embed = model.embed;
            let rows = plan
                .ends
                .iter()
                .flat_map(|(chunk, end)| &features[*chunk][end * embed..][..embed]);
            (rows.copied().collect(), traces)
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
        let Some(traces) = self.saved.get() else {
            candle_core::bail!("text tower: backward before forward");
        };
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
                                again = pass.forward(chunk, traces, Keep::All).1;
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
        let (features, traces) = self.forward(inputs, true)?;
        // A second forward pass of one operation cannot happen: `encode` makes a fresh one.
        let _ = self.saved.set(traces);
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
