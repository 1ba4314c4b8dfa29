//! LayerNorm.

use candle_core::{D, DType, Result, Tensor};

use crate::device::gradients::Gradients;
use crate::ops::LayerNorm;

/// `(x - mean) / sqrt(var + eps) * weight + bias` of every row.
pub(in crate::device) fn forward(norm: &LayerNorm, x: &Tensor) -> Result<Tensor> {
    candle_nn::ops::layer_norm(&x.contiguous()?, &norm.weight, &norm.bias, norm.eps)
}

/// The gradient of `x`: with `n` the normalised rows and `h = dy * weight`,
/// `(h - mean(h) - n mean(h n)) / deviation`.
pub(in crate::device) fn pull(
    norm: &LayerNorm,
    x: &Tensor,
    dy: &Tensor,
    gradients: &mut Gradients,
) -> Result<Tensor> {
    let dtype = x.dtype();
    let (x, dy) = (x.to_dtype(DType::F32)?, dy.to_dtype(DType::F32)?);
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let scale = (variance + f64::from(norm.eps))?.sqrt()?.recip()?;
    let normal = centred.broadcast_mul(&scale)?;
    gradients.add(&norm.weight, || (&dy * &normal)?.sum(0))?;
    gradients.add(&norm.bias, || dy.sum(0))?;
    let h = dy.broadcast_mul(&norm.weight.to_dtype(DType::F32)?)?;
    let average = h.mean_keepdim(D::Minus1)?;
    let along = (&h * &normal)?.mean_keepdim(D::Minus1)?;
    let dx = (h.broadcast_sub(&average)? - normal.broadcast_mul(&along)?)?;
    dx.broadcast_mul(&scale)?.to_dtype(dtype)
}
