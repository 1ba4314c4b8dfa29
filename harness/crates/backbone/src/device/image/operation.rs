//! The tower as one differentiable operation of the host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Shape, Tensor, TensorId};

use super::pass::{Model, Replaced, Trace};
use crate::block::Block;
use crate::device::accelerator::Accelerator;
use crate::device::inputs::{Inputs, Placed};
use crate::device::op::attention::Attention;
use crate::device::op::rotation::Rotation;
use crate::device::rows::RowLayout;
use crate::error::Result;
use crate::image::{ImageTower, TokenEdits};
use crate::ops::Linear;
use crate::ops::view::tensor;

/// Features `[B, E]` of pixels `[B, 3, N, N]`. `own` is the tower before its edits.
pub(crate) fn encode(
    own: &ImageTower,
    tower: &ImageTower,
    accelerator: &Arc<Accelerator>,
    pixels: &Tensor,
    edits: TokenEdits,
) -> Result<Tensor> {
    let mut inputs = Inputs::default();
    if pixels.track_op() {
        inputs.push(pixels)?;
    }
    let replaced = edits.replaced().iter().map(|edit| &edit.tokens);
    for tensor in edits.appended().iter().chain(replaced) {
        inputs.push(tensor)?;
    }
    for (own, edited) in own.blocks.iter().zip(&tower.blocks) {
        inputs.push_changes(own, edited)?;
    }
    inputs.push_norm(&own.ln_post, &tower.ln_post)?;
    if let (Some(own), Some(edited)) = (&own.ln_pre, &tower.ln_pre) {
        inputs.push_norm(own, edited)?;
    }
    for (own, edited) in [
        (&own.patch_bias, &tower.patch_bias),
        (&own.head.bias, &tower.head.bias),
    ] {
        if let (Some(own), Some(edited)) = (own, edited)
            && own.id() != edited.id()
        {
            inputs.push(edited)?;
        }
    }
    let operation = Operation {
        lowest: lowest(own, tower, pixels, &edits),
        tower: tower.clone(),
        accelerator: Arc::clone(accelerator),
        pixels: pixels.clone(),
        edits,
        inputs,
        saved: Mutex::default(),
    };
    match operation.inputs.flat()? {
        Some(flat) if flat.track_op() => Ok(flat.apply_op1(operation)?),
        flat => Ok(accelerator.watch(operation.forward(flat.as_ref(), false))?),
    }
}

/// The lowest block that a gradient must reach.
fn lowest(own: &ImageTower, tower: &ImageTower, pixels: &Tensor, edits: &TokenEdits) -> usize {
    let top = tower.blocks.len();
    let tracked = |own: &Block, edited: &Block| {
        let own: Vec<TensorId> = own.tensors().into_iter().map(Tensor::id).collect();
        let mut changed = edited.tensors().into_iter();
        changed.any(|t| t.track_op() && !own.contains(&t.id()))
    };
    let enters = pixels.track_op()
        || edits.appended().iter().any(Tensor::track_op)
        || tower.patch_bias.as_ref().is_some_and(Tensor::track_op)
        || (tower.ln_pre.iter()).any(|norm| norm.weight.track_op() || norm.bias.track_op());
    if enters {
        return 0;
    }
    let mut blocks = own.blocks.iter().zip(&tower.blocks);
    let edited = blocks.position(|(own, edited)| tracked(own, edited));
    let replaced = edits.replaced().iter().filter(|r| r.tokens.track_op());
    let replaced = replaced.map(|r| r.layer).min();
    edited.unwrap_or(top).min(replaced.unwrap_or(top))
}

struct Operation {
    tower: ImageTower,
    accelerator: Arc<Accelerator>,
    pixels: Tensor,
    edits: TokenEdits,
    inputs: Inputs,
    lowest: usize,
    saved: Mutex<Option<Saved>>,
}

/// A request on the device between its forward pass and its pull-back.
struct Saved {
    model: Model,
    placed: HashMap<TensorId, Tensor>,
    trace: Trace,
}

impl Operation {
    fn forward(&self, flat: Option<&Tensor>, keeps: bool) -> candle_core::Result<Tensor> {
        let accelerator = &*self.accelerator;
        let flat = flat
            .map(|flat| flat.detach().to_device(accelerator.device()))
            .transpose()?;
        let placed = self.inputs.placed(accelerator, flat.as_ref())?;
        let model = self.model(&placed)?;
        let pixels = match self.pixels.track_op() {
            true => placed.get(&self.pixels)?,
            false => accelerator.upload(&self.pixels)?,
        };
        let (features, trace) = model.forward(&pixels, keeps)?;
        let features = features.to_dtype(DType::F32)?.to_device(&Device::Cpu)?;
        if let Some(trace) = trace {
            let saved = Saved {
                model,
                placed: placed.into_tensors(),
                trace,
            };
            *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = Some(saved);
        }
        Ok(features)
    }

    /// The gradient of the flat inputs.
    fn pull(&self, grad: &Tensor) -> candle_core::Result<Vec<f32>> {
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(saved) = saved.as_ref() else {
            candle_core::bail!("image tower: backward before forward");
        };
        let mut gradients = self.inputs.gradients(&saved.placed);
        let grad = self.accelerator.upload(grad)?;
        let to_pixels = self.pixels.track_op();
        let reaches = (self.lowest, to_pixels);
        let pixels = saved
            .model
            .pull(&saved.trace, &grad, reaches, &mut gradients)?;
        if let (Some(placed), Some(pixels)) = (saved.placed.get(&self.pixels.id()), pixels) {
            gradients.add(placed, || Ok(pixels))?;
        }
        self.inputs.flat_gradient(&saved.placed, &mut gradients)
    }

    fn model(&self, placed: &Placed<'_>) -> candle_core::Result<Model> {
        let (tower, accelerator) = (&self.tower, &*self.accelerator);
        let (width, patch) = (tower.dims.width, tower.dims.patch_size);
        let batch = self.pixels.dim(0)?;
        let appended = self.edits.appended().iter().map(|t| placed.get(t));
        let appended: Vec<Tensor> = appended.collect::<candle_core::Result<_>>()?;
        let replaced = self.edits.replaced().iter().map(|edit| {
            Ok(Replaced {
                layer: edit.layer,
                start: edit.start,
                tokens: placed.get(&edit.tokens)?,
            })
        });
        let counts = appended.iter().map(|tokens| tokens.dim(1));
        let extra: usize = counts.sum::<candle_core::Result<usize>>()?;
        let tokens = 1 + tower.dims.patches + extra;
        let rotation = match &tower.attention.rope {
            Some(rope) => Some(Rotation::new(
                rope,
                tokens,
                accelerator.dtype(),
                accelerator.device(),
            )?),
            None => None,
        };
        let layout = RowLayout {
            families: batch,
            prompts: 1,
            prefix: 0,
            length: tokens,
        };
        let blocks = tower.blocks.iter().map(|block| placed.block(block));
        let patch_weight = placed.get(&tower.patch_weight)?;
        Ok(Model {
            patch: Linear::new(
                patch_weight.reshape((width, 3 * patch * patch))?,
                tower
                    .patch_bias
                    .as_ref()
                    .map(|bias| placed.get(bias))
                    .transpose()?,
            ),
            class_token: placed.get(&tower.class_token)?.reshape((1, 1, width))?,
            positions: placed.get(&tower.positions)?.reshape((1, (), width))?,
            ln_pre: tower
                .ln_pre
                .as_ref()
                .map(|norm| placed.norm(norm))
                .transpose()?,
            blocks: blocks.collect::<candle_core::Result<_>>()?,
            ln_post: placed.norm(&tower.ln_post)?,
            head: placed.linear(&tower.head)?,
            appended,
            replaced: replaced.collect::<candle_core::Result<_>>()?,
            attention: Attention::new(
                layout,
                tower.attention.heads,
                false,
                rotation,
                (accelerator.dtype(), accelerator.device()),
            )?,
            patch_size: patch,
        })
    }
}

impl CustomOp1 for Operation {
    fn name(&self) -> &'static str {
        "image tower"
    }

    fn cpu_fwd(
        &self,
        inputs: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let values = crate::ops::view::slice(inputs, layout, "image tower")?;
        let flat = Tensor::from_slice(values, layout.shape(), &Device::Cpu)?;
        let features = self.accelerator.watch(self.forward(Some(&flat), true))?;
        let shape = features.shape().clone();
        let values = features.flatten_all()?.to_vec1::<f32>()?;
        Ok((CpuStorage::F32(values), shape))
    }

    fn bwd(
        &self,
        inputs: &Tensor,
        _features: &Tensor,
        grad: &Tensor,
    ) -> candle_core::Result<Option<Tensor>> {
        let gradient = self.accelerator.watch(self.pull(grad))?;
        Ok(Some(tensor(gradient, inputs.shape())?))
    }
}
