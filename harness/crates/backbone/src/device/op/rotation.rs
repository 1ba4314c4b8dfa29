//! Rotary position embedding.

use candle_core::{Device, Result, Tensor};

use crate::ops::Rope;

/// Cosines and sines of every token, `[S, head_dim / 2]`; tokens without a place turn by zero.
pub(in crate::device) struct Rotation {
    cos: Tensor,
    sin: Tensor,
    minus_sin: Tensor,
}

impl Rotation {
    pub(in crate::device) fn new(
        rope: &Rope,
        tokens: usize,
        dtype: candle_core::DType,
        device: &Device,
    ) -> Result<Self> {
        let (cos, sin) = rope.tables(tokens);
        let half = cos.len() / tokens.max(1);
        let place =
            |values: Vec<f32>| Tensor::from_vec(values, (tokens, half), device)?.to_dtype(dtype);
        let sin = place(sin)?;
        Ok(Self {
            cos: place(cos)?,
            minus_sin: sin.neg()?,
            sin,
        })
    }

    /// Turns heads `[N, H, S, head_dim]`; `inverse` turns back, which is the gradient.
    pub(in crate::device) fn turn(&self, heads: &Tensor, inverse: bool) -> Result<Tensor> {
        let sin = if inverse { &self.minus_sin } else { &self.sin };
        candle_nn::rotary_emb::rope_i(&heads.contiguous()?, &self.cos, sin)
    }
}
