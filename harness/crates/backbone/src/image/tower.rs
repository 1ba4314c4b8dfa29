//! From pixels to image features: plain ViT and EVA02 alike.

use std::borrow::Cow;
use std::sync::Arc;

use candle_core::{DType, Tensor};

use super::edits::{ImageEdit, TokenEdits};
use super::engine;
use super::forward::Frozen;
use crate::block::Block;
use crate::device::{self, Accelerator};
use crate::dims::ImageDims;
use crate::engine::Pool;
use crate::error::{BackboneError, Result};
use crate::modules::{self, Module};
use crate::names::{self, Slot};
use crate::ops::{AttentionShape, LayerNorm, Linear};

/// A vision transformer that reads its class token. Differentiable in the pixels, in every edit and,
/// where they are tracked, in its weights.
#[derive(Debug, Clone)]
pub struct ImageTower {
    pub(crate) dims: ImageDims,
    /// `[D, 3, p, p]`.
    pub(crate) patch_weight: Tensor,
    /// `[D]`; EVA02 only.
    pub(crate) patch_bias: Option<Tensor>,
    /// `[D]` or `[1, 1, D]`.
    pub(crate) class_token: Tensor,
    /// `[P + 1, D]` or `[1, P + 1, D]`.
    pub(crate) positions: Tensor,
    pub(crate) ln_pre: Option<LayerNorm>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) attention: AttentionShape,
    pub(crate) ln_post: LayerNorm,
    pub(crate) head: Linear,
    /// Bytes of activations that are kept for the gradients of a request.
    pub(crate) activation_limit: usize,
    /// Buffers of the engine.
    pub(super) pool: Arc<Pool>,
    /// The device that the tower runs on, unless it is the CPU.
    pub(crate) accelerator: Option<Arc<Accelerator>>,
}

impl ImageTower {
    /// The same tower with another limit on the bytes of activations that it keeps of a request, as [`TextTower::with_activation_limit`] has it.
    ///
    /// [`TextTower::with_activation_limit`]: crate::TextTower::with_activation_limit
    #[must_use]
    pub(crate) fn with_activation_limit(self, bytes: usize) -> Self {
        Self {
            activation_limit: bytes,
            ..self
        }
    }

    /// The tower's dimensions.
    pub fn dims(&self) -> &ImageDims {
        &self.dims
    }

    /// Normalised pixels `[B, 3, N, N]` to image features `[B, E]`, not normalised.
    ///
    /// # Errors
    /// When the pixels are not f32 or not of the tower's size.
    pub fn encode(&self, pixels: &Tensor) -> Result<Tensor> {
        self.encode_edited(pixels, &[])
    }

    /// As [`Self::encode`], with changes inside the tower.
    ///
    /// # Errors
    /// When the pixels, or a shape, layer, place or name of an edit do not fit the tower.
    pub fn encode_edited(&self, pixels: &Tensor, edits: &[ImageEdit]) -> Result<Tensor> {
        let images = pixels.dims().first().copied().unwrap_or(0);
        let tokens = TokenEdits::bind(edits, images, &self.dims)?;
        let tower = self.edited(edits)?;
        self.check(pixels)?;
        if let Some(accelerator) = &self.accelerator {
            return device::encode_image(self, &tower, accelerator, pixels, &tokens);
        }
        if let Some(frozen) = Frozen::of(&tower, pixels, &tokens)? {
            return frozen.encode();
        }
        match engine::encode(&tower, pixels, &tokens)? {
            Some(features) => Ok(features),
            None => tower.differentiable(pixels, &tokens),
        }
    }

    /// As [`Self::encode_edited`], always as a graph of candle operations: what the other way is
    /// compared with.
    ///
    /// # Errors
    /// As [`Self::encode_edited`].
    #[doc(hidden)]
    pub fn encode_by_operations(&self, pixels: &Tensor, edits: &[ImageEdit]) -> Result<Tensor> {
        let images = pixels.dims().first().copied().unwrap_or(0);
        let tokens = TokenEdits::bind(edits, images, &self.dims)?;
        self.check(pixels)?;
        self.edited(edits)?.differentiable(pixels, &tokens)
    }

    /// The tower with the edits of its parameters applied; all other weights are shared.
    fn edited(&self, edits: &[ImageEdit]) -> Result<Cow<'_, Self>> {
        let mut tower = Cow::Borrowed(self);
        for edit in edits {
            if let ImageEdit::Weight(edit) = edit {
                edit.apply("image", tower.to_mut().slot(edit.name()))?;
            }
        }
        Ok(tower)
    }

    /// The value of a weight, bias or gain by its canonical name.
    ///
    /// # Errors
    /// When the tower has none of this name.
    pub fn parameter(&self, name: &str) -> Result<Tensor> {
        modules::read("image", name, &self.blocks, |module| match module {
            "ln_pre" => self.ln_pre.as_ref().map(Module::Norm),
            "ln_post" => Some(Module::Norm(&self.ln_post)),
            "patch" => self.patch_bias.as_ref().map(Module::Bias),
            "head" => Some(Module::Linear(Cow::Borrowed(&self.head))),
            _ => None,
        })
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_>> {
        let (ln_pre, ln_post) = (&mut self.ln_pre, &mut self.ln_post);
        let (patch, head) = (&mut self.patch_bias, &mut self.head.bias);
        names::slot(&mut self.blocks, name, |module, kind| {
            match (module, kind) {
                ("ln_pre", _) => names::norm(ln_pre.as_mut()?, kind),
                ("ln_post", _) => names::norm(ln_post, kind),
                ("patch", "bias") => Some(Slot::Vector(patch.as_mut()?)),
                ("head", "bias") => Some(Slot::Vector(head.as_mut()?)),
                _ => None,
            }
        })
    }

    /// What the projection maps to the features, `[B, D]`: the class token after the last block
    /// and `ln_post`.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn before_projection(&self, pixels: &Tensor) -> Result<Tensor> {
        let class = self.last_tokens(pixels)?.narrow(1, 0, 1)?.squeeze(1)?;
        Ok(self.ln_post.forward(&class)?.detach())
    }

    /// The patches after the last block, mapped to the joint space as the class token is:
    /// `[B, P, E]`.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn patch_features(&self, pixels: &Tensor) -> Result<Tensor> {
        let tokens = self.last_tokens(pixels)?;
        let patches = tokens.narrow(1, 1, self.dims.patches)?.contiguous()?;
        Ok(self
            .head
            .forward(&self.ln_post.forward(&patches)?)?
            .detach())
    }

    fn last_tokens(&self, pixels: &Tensor) -> Result<Tensor> {
        self.check(pixels)?;
        self.blocks(pixels, &TokenEdits::bind(&[], pixels.dim(0)?, &self.dims)?)
    }

    fn differentiable(&self, pixels: &Tensor, edits: &TokenEdits) -> Result<Tensor> {
        let class = self.blocks(pixels, edits)?.narrow(1, 0, 1)?.squeeze(1)?;
        Ok(self.head.forward(&self.ln_post.forward(&class)?)?)
    }

    /// All tokens after the last block, `[B, S, D]`.
    fn blocks(&self, pixels: &Tensor, edits: &TokenEdits) -> Result<Tensor> {
        let mut x = edits.replace(0, edits.append(self.tokens(pixels)?)?)?;
        if let Some(norm) = &self.ln_pre {
            x = norm.forward(&x)?;
        }
        for (layer, block) in self.blocks.iter().enumerate() {
            if layer > 0 {
                x = edits.replace(layer, x)?;
            }
            x = block.forward(&x, &self.attention)?;
        }
        Ok(x)
    }

    /// Whether a weight is trained, so that a gradient may be asked for.
    pub(crate) fn is_tracked(&self) -> bool {
        let norm = |norm: &LayerNorm| norm.weight.track_op() || norm.bias.track_op();
        [&self.patch_weight, &self.class_token, &self.positions]
            .into_iter()
            .chain(&self.patch_bias)
            .chain([&self.head.weight])
            .chain(&self.head.bias)
            .any(Tensor::track_op)
            || self.blocks.iter().any(Block::is_tracked)
            || self.ln_pre.as_ref().is_some_and(norm)
            || norm(&self.ln_post)
    }

    /// Refuses pixels that are not f32 `[B, 3, N, N]`.
    fn check(&self, pixels: &Tensor) -> Result<()> {
        let side = self.dims.image_size;
        let dims = pixels.dims();
        if dims.len() != 4 || dims[0] == 0 || dims[1..] != [3, side, side] {
            return Err(BackboneError::Request(format!(
                "pixels: expected [batch, 3, {side}, {side}], found {dims:?}"
            )));
        }
        if pixels.dtype() != DType::F32 {
            let found = pixels.dtype();
            return Err(BackboneError::Request(format!(
                "pixels: expected f32, found {found:?}"
            )));
        }
        Ok(())
    }

    /// Class and patch tokens with their positions, before `ln_pre`: `[B, 1 + P, D]`.
    fn tokens(&self, pixels: &Tensor) -> Result<Tensor> {
        let side = self.dims.image_size;
        let (batch, patch, width) = (pixels.dim(0)?, self.dims.patch_size, self.dims.width);
        let grid = side / patch;
        // A convolution whose stride is its kernel is a linear map of every patch.
        let patches = pixels
            .reshape(&[batch, 3, grid, patch, grid, patch][..])?
            .permute([0, 2, 4, 1, 3, 5])?
            .reshape((batch, grid * grid, 3 * patch * patch))?;
        let weight = self.patch_weight.reshape((width, 3 * patch * patch))?;
        let patches = Linear::new(weight, self.patch_bias.clone()).forward(&patches)?;
        let class = self
            .class_token
            .reshape((1, 1, width))?
            .broadcast_as((batch, 1, width))?;
        let positions = self.positions.reshape((1, grid * grid + 1, width))?;
        Ok(Tensor::cat(&[&class, &patches], 1)?.broadcast_add(&positions)?)
    }
}
