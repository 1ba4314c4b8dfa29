//! From pixels to image features: plain ViT and EVA02 alike.

use candle_core::{DType, Tensor};

use crate::block::Block;
use crate::dims::ImageDims;
use crate::error::{BackboneError, Result};
use crate::ops::{AttentionShape, LayerNorm, Linear};

/// A vision transformer that reads its class token. Differentiable in the pixels and, where they are
/// tracked, in its weights.
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
}

impl ImageTower {
    /// The tower's dimensions.
    pub fn dims(&self) -> &ImageDims {
        &self.dims
    }

    /// Normalised pixels `[B, 3, N, N]` to image features `[B, E]`, not normalised.
    ///
    /// # Errors
    /// When the pixels are not f32 or not of the tower's size.
    pub fn encode(&self, pixels: &Tensor) -> Result<Tensor> {
        let mut x = self.tokens(pixels)?;
        for block in &self.blocks {
            x = block.forward(&x, &self.attention)?;
        }
        let class = x.narrow(1, 0, 1)?.squeeze(1)?;
        Ok(self.head.forward(&self.ln_post.forward(&class)?)?)
    }

    /// Class and patch tokens with their positions, as they enter the first block: `[B, 1 + P, D]`.
    fn tokens(&self, pixels: &Tensor) -> Result<Tensor> {
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
        let (batch, patch, width) = (dims[0], self.dims.patch_size, self.dims.width);
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
        let x = Tensor::cat(&[&class, &patches], 1)?.broadcast_add(&positions)?;
        match &self.ln_pre {
            Some(norm) => Ok(norm.forward(&x)?),
            None => Ok(x),
        }
    }
}
