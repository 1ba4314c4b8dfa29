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
///
/// Where the activations of a batch exceed the tower's limit, it is computed in parts, and those of
/// the last parts again when gradients are asked for.
pub(crate) fn encode(
    own: &ImageTower,
    tower: &ImageTower,
    accelerator: &Arc<Accelerator>,
    pixels: &Tensor,
    edits: &TokenEdits,
) -> Result<Tensor> {
    let images = pixels.dim(0)?;
    let bytes = image_bytes(tower, accelerator, edits)?;
    let most = (tower.activation_limit / bytes.max(1)).max(1);
    let keeps_nothing = !is_tracked(tower, pixels, edits);
    // Masks count the rows of a request through, so it is computed as one.
    let has_dropout = tower.blocks.iter().any(Block::has_dropout);
    if images <= most || keeps_nothing || has_dropout {
        let edits = edits.narrow(0, images)?;
        return encode_part(own, tower, accelerator, pixels, edits, true);
    }
    // Halves of what may be kept, so that the last part fits beside it.
    let part = (most / 2).max(1);
    let mut room = most;
    let mut features = Vec::with_capacity(images.div_ceil(part));
    for start in (0..images).step_by(part) {
        let count = part.min(images - start);
        let keeps = count <= room;
        room -= if keeps { count } else { 0 };
        let (pixels, edits) = (pixels.narrow(0, start, count)?, edits.narrow(start, count)?);
        features.push(encode_part(own, tower, accelerator, &pixels, edits, keeps)?);
    }
    Ok(Tensor::cat(&features, 0)?)
}

/// Whether a gradient may be asked for.
fn is_tracked(tower: &ImageTower, pixels: &Tensor, edits: &TokenEdits) -> bool {
    let replaced = edits.replaced().iter().map(|edit| &edit.tokens);
    let mut tokens = edits.appended().iter().chain(replaced);
    tower.is_tracked() || pixels.track_op() || tokens.any(Tensor::track_op)
}

/// Bytes that the trace of an image takes in all blocks, about: input, middle, queries, keys and
/// values with their copies, attention weights, and the MLP's hidden values.
fn image_bytes(
    tower: &ImageTower,
    accelerator: &Accelerator,
    edits: &TokenEdits,
) -> candle_core::Result<usize> {
    let dims = &tower.dims;
    let appended = edits.appended().iter().map(|tokens| tokens.dim(1));
    let appended: usize = appended.sum::<candle_core::Result<usize>>()?;
    let tokens = 1 + dims.patches + appended;
    let values = 8 * dims.width + tower.attention.heads * tokens + dims.mlp;
    Ok(dims.layers * tokens * values * accelerator.dtype().size_in_bytes())
}

fn encode_part(
    own: &ImageTower,
    tower: &ImageTower,
    accelerator: &Arc<Accelerator>,
    pixels: &Tensor,
    edits: TokenEdits,
    keeps: bool,
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
        keeps,
        saved: Mutex::default(),
    };
    match operation.inputs.flat()? {
        Some(flat) if flat.track_op() => Ok(flat.apply_op1(operation)?),
        flat => Ok(accelerator
            .watch(operation.forward(flat.as_ref(), false))?
            .0),
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
    /// Whether the forward pass keeps what its pull-back reads; else it is done again for it.
    keeps: bool,
    saved: Mutex<Option<Saved>>,
}

/// A request on the device between its forward pass and its pull-back.
struct Saved {
    model: Model,
    placed: HashMap<TensorId, Tensor>,
    trace: Trace,
}

impl Operation {
    /// The features, and what a pull-back reads if `keeps`.
    fn forward(
        &self,
        flat: Option<&Tensor>,
        keeps: bool,
    ) -> candle_core::Result<(Tensor, Option<Saved>)> {
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
        let saved = trace.map(|trace| Saved {
            model,
            placed: placed.into_tensors(),
            trace,
        });
        Ok((features, saved))
    }

    /// The gradient of the flat inputs.
    fn pull(&self, flat: &Tensor, grad: &Tensor) -> candle_core::Result<Vec<f32>> {
        let kept = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let again = match *kept {
            Some(_) => None,
            None => self.forward(Some(flat), true)?.1,
        };
        let Some(saved) = kept.as_ref().or(again.as_ref()) else {
            candle_core::bail!("image tower: nothing was kept of a batch");
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
        let forward = self.forward(Some(&flat), self.keeps);
        let (features, saved) = self.accelerator.watch(forward)?;
        *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = saved;
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
        let gradient = self.accelerator.watch(self.pull(inputs, grad))?;
        Ok(Some(tensor(gradient, inputs.shape())?))
    }
}
