//! The tower as one differentiable operation.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

use super::forward::Pass;
use super::model::Model;
use super::trace::{Group, Trace};
use crate::engine::{Inputs, Pool, in_order};
use crate::error::Result;
use crate::image::edits::TokenEdits;
use crate::image::tower::ImageTower;
use crate::kernels::add;
use crate::ops::view::{slice, tensor, with_values};

/// Token rows of a group: enough that the kernel's packing of the weights is spread over them.
const GROUP_ROWS: usize = 800;

/// Features `[B, E]` of a tower with its edits; none where the tower needs the reference path.
pub(in crate::image) fn encode(
    tower: &ImageTower,
    pixels: &Tensor,
    edits: &TokenEdits,
) -> Result<Option<Tensor>> {
    let mut inputs = Inputs::default();
    let Some(model) = Model::of(tower, pixels, edits, &mut inputs)? else {
        return Ok(None);
    };
    let engine = Engine {
        groups: groups(&model),
        // Half: a method may train through the text tower at the same time.
        most_kept: tower.activation_limit / (2 * size_of::<f32>()),
        pool: Arc::clone(&tower.pool),
        saved: OnceLock::new(),
        model,
    };
    if inputs.tensors.is_empty() {
        let features = engine.forward(&[], false)?.0;
        return Ok(Some(tensor(features, &engine.shape())?));
    }
    let flat = Tensor::cat(&inputs.tensors, 0)?;
    if flat.track_op() {
        return Ok(Some(flat.apply_op1(engine)?));
    }
    let features = with_values(&flat, "image tower", |flat| engine.forward(flat, false))??.0;
    Ok(Some(tensor(features, &engine.shape())?))
}

/// Groups of about equal size; a function of the request alone, so that results do not depend on
/// the machine.
fn groups(model: &Model) -> Vec<Group> {
    let most = (GROUP_ROWS / model.sizes.tokens).max(1);
    let count = model.sizes.images.div_ceil(most);
    let cut = |i: usize| i * model.sizes.images / count;
    let group = |i: usize| Group {
        first: cut(i),
        images: cut(i + 1) - cut(i),
    };
    (0..count).map(group).collect()
}

struct Engine {
    model: Model,
    groups: Vec<Group>,
    /// Values that the traces of the request may hold. Groups beyond it run forward again when
    /// their gradients are asked for, which gives the same bits.
    most_kept: usize,
    pool: Arc<Pool>,
    saved: OnceLock<Vec<Option<Trace>>>,
}

impl Engine {
    fn shape(&self) -> Shape {
        Shape::from((self.model.sizes.images, self.model.sizes.embed))
    }

    /// Features, and the traces of the groups that are kept.
    fn forward(
        &self,
        inputs: &[f32],
        keeps: bool,
    ) -> candle_core::Result<(Vec<f32>, Vec<Option<Trace>>)> {
        let Self {
            model,
            groups,
            pool,
            ..
        } = self;
        let mut room = if keeps { self.most_kept } else { 0 };
        let kept = groups.iter().map(|group| {
            let size = Trace::size(*group, model, model.lowest);
            let fits = keeps && size <= room;
            room -= if fits { size } else { 0 };
            fits
        });
        let kept: Vec<bool> = kept.collect();
        model.with_values(inputs, |values| {
            let pass = Pass {
                model,
                values,
                inputs,
                pool,
            };
            let mut features = Vec::with_capacity(model.sizes.images * model.sizes.embed);
            let mut traces = Vec::with_capacity(groups.len());
            in_order(
                groups.len(),
                |i| {
                    let (features, trace) = pass.forward(groups[i], kept[i]);
                    (features, kept[i].then_some(trace))
                },
                |_, (new, trace)| {
                    features.extend(new);
                    traces.push(trace);
                },
            );
            (features, traces)
        })
    }

    /// Gradient of the inputs.
    fn backward(&self, inputs: &[f32], grad: &[f32]) -> candle_core::Result<Vec<f32>> {
        let Self {
            model,
            groups,
            pool,
            ..
        } = self;
        let Some(traces) = self.saved.get() else {
            candle_core::bail!("image tower: backward before forward");
        };
        let embed = model.sizes.embed;
        let mut result = vec![0f32; inputs.len()];
        model.with_values(inputs, |values| {
            let pass = Pass {
                model,
                values,
                inputs,
                pool,
            };
            in_order(
                groups.len(),
                |i| {
                    let group = groups[i];
                    let again;
                    let trace = match &traces[i] {
                        Some(trace) => trace,
                        None => {
                            again = pass.forward(group, true).1;
                            &again
                        }
                    };
                    let grad = &grad[group.first * embed..][..group.images * embed];
                    pass.backward(group, trace, grad)
                },
                |_, new| {
                    for (start, gradient) in new.tokens {
                        add(&mut result[start..start + gradient.len()], &gradient);
                    }
                    add(&mut result[model.weights.0..], &new.weights);
                },
            );
        })?;
        Ok(result)
    }
}

impl CustomOp1 for Engine {
    fn name(&self) -> &'static str {
        "image tower"
    }

    fn cpu_fwd(
        &self,
        inputs: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let inputs = slice(inputs, layout, "image tower")?;
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
        let gradient = with_values(inputs, "image tower", |inputs| {
            with_values(grad, "image tower", |grad| self.backward(inputs, grad))
        })???;
        Ok(Some(tensor(gradient, inputs.shape())?))
    }
}
