//! Normalisations over the last dimension.

use candle_core::{D, Tensor};

use crate::Result;

/// `x / ||x||` over the last dimension.
pub fn normalize(x: &Tensor) -> Result<Tensor> {
    let norm = x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    Ok(x.broadcast_div(&norm)?)
}

/// Softmax over the last dimension.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    // The shift cancels out of value and gradient alike.
    let shift = x.max_keepdim(D::Minus1)?.detach();
    let exp = x.broadcast_sub(&shift)?.exp()?;
    let sum = exp.sum_keepdim(D::Minus1)?;
    Ok(exp.broadcast_div(&sum)?)
}

/// Logarithm of the softmax over the last dimension.
pub fn log_softmax(x: &Tensor) -> Result<Tensor> {
    let shift = x.max_keepdim(D::Minus1)?.detach();
    let x = x.broadcast_sub(&shift)?;
    let log_sum = x.exp()?.sum_keepdim(D::Minus1)?.log()?;
    Ok(x.broadcast_sub(&log_sum)?)
}

/// `scale · cos(image, text)`: image `[B, E]`, text `[C, E]`, result `[B, C]`.
pub fn cosine_logits(image: &Tensor, text: &Tensor, scale: f64) -> Result<Tensor> {
    let logits = normalize(image)?.matmul(&normalize(text)?.t()?)?;
    Ok((logits * scale)?)
}
