//! A batch of images through the tower, forward and back.

use candle_core::{Result, Tensor};

use crate::block::Block;
use crate::device::block;
use crate::device::gradients::Gradients;
use crate::device::op::attention::Attention;
use crate::device::op::{linear, norm};
use crate::ops::{LayerNorm, Linear};

/// The tower's weights and the tokens of a request's edits on the device.
pub(super) struct Model {
    /// `[D, 3 p p]`.
    pub(super) patch: Linear,
    /// `[1, 1, D]`.
    pub(super) class_token: Tensor,
    /// `[1, P + 1, D]`.
    pub(super) positions: Tensor,
    pub(super) ln_pre: Option<LayerNorm>,
    pub(super) blocks: Vec<Block>,
    pub(super) ln_post: LayerNorm,
    pub(super) head: Linear,
    /// `[B, n, D]` each.
    pub(super) appended: Vec<Tensor>,
    pub(super) replaced: Vec<Replaced>,
    pub(super) attention: Attention,
    pub(super) patch_size: usize,
}

/// Tokens `[B, n, D]` that take places from `start` on at the input of a block.
pub(super) struct Replaced {
    pub(super) layer: usize,
    pub(super) start: usize,
    pub(super) tokens: Tensor,
}

/// What the pull-back of a batch reads.
pub(super) struct Trace {
    /// Tokens before `ln_pre`.
    entered: Option<Tensor>,
    blocks: Vec<block::Saved>,
    class: Tensor,
}

impl Model {
    /// Pixels `[B, 3, N, N]` to features `[B, E]`.
    pub(super) fn forward(&self, pixels: &Tensor, keeps: bool) -> Result<(Tensor, Option<Trace>)> {
        let batch = pixels.dim(0)?;
        let patches = linear::forward(&self.patch, &self.patches(pixels)?)?;
        let width = patches.dim(1)?;
        let class = self.class_token.broadcast_as((batch, 1, width))?;
        let patches = patches.reshape((batch, (), width))?;
        let tokens = Tensor::cat(&[&class, &patches], 1)?.broadcast_add(&self.positions)?;
        let parts: Vec<&Tensor> = std::iter::once(&tokens).chain(&self.appended).collect();
        let mut x = self.replace(0, Tensor::cat(&parts, 1)?)?;
        let tokens = x.dim(1)?;
        let rows = |x: &Tensor| x.reshape((batch * tokens, width));
        let mut entered = None;
        if let Some(pre) = &self.ln_pre {
            let before = rows(&x)?;
            x = norm::forward(pre, &before)?;
            entered = Some(before);
        } else {
            x = rows(&x)?;
        }
        let mut saved = Vec::with_capacity(if keeps { self.blocks.len() } else { 0 });
        for (layer, weights) in self.blocks.iter().enumerate() {
            if layer > 0 && self.replaced.iter().any(|edit| edit.layer == layer) {
                x = rows(&self.replace(layer, x.reshape((batch, tokens, width))?)?)?;
            }
            let (y, kept) = block::forward(weights, &x, &self.attention)?;
            x = y;
            if keeps {
                saved.push(kept);
            }
        }
        let class = x.reshape((batch, tokens, width))?.narrow(1, 0, 1)?;
        let class = class.reshape((batch, width))?.contiguous()?;
        let features = linear::forward(&self.head, &norm::forward(&self.ln_post, &class)?)?;
        let trace = keeps.then_some(Trace {
            entered,
            blocks: saved,
            class,
        });
        Ok((features, trace))
    }

    /// Adds the gradients that features `[B, E]` send back; gives that of the pixels if `to_pixels`.
    /// Blocks below `lowest` are not passed; 0 is the first block's.
    pub(super) fn pull(
        &self,
        trace: &Trace,
        features: &Tensor,
        (lowest, to_pixels): (usize, bool),
        gradients: &mut Gradients,
    ) -> Result<Option<Tensor>> {
        let normal = linear::pull(&self.head, None, features, gradients)?;
        let class = norm::pull(&self.ln_post, &trace.class, &normal, None, gradients)?;
        let (batch, width) = class.dims2()?;
        let tokens = self.attention.layout.length;
        let class = class.reshape((batch, 1, width))?;
        let mut dx = class
            .pad_with_zeros(1, 0, tokens - 1)?
            .reshape((batch * tokens, width))?;
        for (layer, weights) in self.blocks.iter().enumerate().skip(lowest).rev() {
            dx = block::pull(
                weights,
                &self.attention,
                &trace.blocks[layer],
                &dx,
                gradients,
            )?;
            if layer > 0 {
                dx = self.pull_replaced(layer, dx, batch, gradients)?;
            }
        }
        if lowest > 0 {
            return Ok(None);
        }
        if let (Some(pre), Some(entered)) = (&self.ln_pre, &trace.entered) {
            dx = norm::pull(pre, entered, &dx, None, gradients)?;
        }
        dx = self.pull_replaced(0, dx, batch, gradients)?;
        let dx = dx.reshape((batch, tokens, width))?;
        let mut start = self.positions.dim(1)?;
        for appended in &self.appended {
            let count = appended.dim(1)?;
            gradients.add(appended, || dx.narrow(1, start, count))?;
            start += count;
        }
        let patches = self.positions.dim(1)? - 1;
        let d_patches = dx.narrow(1, 1, patches)?.contiguous()?;
        let d_patches = d_patches.reshape((batch * patches, width))?;
        let pulled = match to_pixels || self.patch.bias.is_some() {
            true => Some(linear::pull(&self.patch, None, &d_patches, gradients)?),
            false => None,
        };
        match (to_pixels, pulled) {
            (true, Some(pulled)) => self.pixels(&pulled, batch, patches).map(Some),
            _ => Ok(None),
        }
    }

    /// The patches of images as rows `[B P, 3 p p]`.
    fn patches(&self, pixels: &Tensor) -> Result<Tensor> {
        let (batch, _, side, _) = pixels.dims4()?;
        let patch = self.patch_size;
        let grid = side / patch;
        pixels
            .reshape(&[batch, 3, grid, patch, grid, patch][..])?
            .permute([0, 2, 4, 1, 3, 5])?
            .reshape((batch * grid * grid, 3 * patch * patch))
    }

    /// Rows of patches back to images.
    fn pixels(&self, rows: &Tensor, batch: usize, patches: usize) -> Result<Tensor> {
        let patch = self.patch_size;
        let grid = patches.isqrt();
        rows.reshape(&[batch, grid, grid, 3, patch, patch][..])?
            .permute([0, 3, 1, 4, 2, 5])?
            .reshape((batch, 3, grid * patch, grid * patch))
    }

    /// Replaces tokens at the input of a block, `[B, S, D]`.
    fn replace(&self, layer: usize, mut x: Tensor) -> Result<Tensor> {
        for edit in self.replaced.iter().filter(|edit| edit.layer == layer) {
            let after = edit.start + edit.tokens.dim(1)?;
            let parts = [
                x.narrow(1, 0, edit.start)?,
                edit.tokens.clone(),
                x.narrow(1, after, x.dim(1)? - after)?,
            ];
            let parts: Vec<&Tensor> = parts.iter().filter(|part| part.elem_count() > 0).collect();
            x = Tensor::cat(&parts, 1)?;
        }
        Ok(x)
    }

    /// The gradient before the replacements of a block from that after them.
    fn pull_replaced(
        &self,
        layer: usize,
        dx: Tensor,
        batch: usize,
        gradients: &mut Gradients,
    ) -> Result<Tensor> {
        let (rows, width) = dx.dims2()?;
        let mut dx = dx.reshape((batch, rows / batch, width))?;
        for edit in self.replaced.iter().filter(|edit| edit.layer == layer) {
            let count = edit.tokens.dim(1)?;
            let after = edit.start + count;
            gradients.add(&edit.tokens, || dx.narrow(1, edit.start, count))?;
            let parts = [
                dx.narrow(1, 0, edit.start)?,
                edit.tokens.zeros_like()?,
                dx.narrow(1, after, dx.dim(1)? - after)?,
            ];
            let parts: Vec<&Tensor> = parts.iter().filter(|part| part.elem_count() > 0).collect();
            dx = Tensor::cat(&parts, 1)?;
        }
        dx.reshape((rows, width))
    }
}
