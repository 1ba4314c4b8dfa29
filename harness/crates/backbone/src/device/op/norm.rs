//! LayerNorm.

use candle_core::{D, DType, Result, Tensor};

use crate::device::gradients::Gradients;
use crate::ops::LayerNorm;

/// `(x - mean) / sqrt(var + eps) * weight + bias` of every row. candle's own kernel takes the
/// variance as a difference of squares, which can be negative.
pub(in crate::device) fn forward(norm: &LayerNorm, x: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if crate::device::fused::is_fused(x) {
        return crate::device::fused::norm(norm, x);
    }
    let (normal, _) = normalise(norm, &x.to_dtype(DType::F32)?)?;
    let scaled = normal.broadcast_mul(&norm.weight.to_dtype(DType::F32)?)?;
    let y = scaled.broadcast_add(&norm.bias.to_dtype(DType::F32)?)?;
    y.to_dtype(x.dtype())
}

/// Normalised rows of `x` and the reciprocal of their deviations, in f32.
fn normalise(norm: &LayerNorm, x: &Tensor) -> Result<(Tensor, Tensor)> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let scale = (variance + f64::from(norm.eps))?.sqrt()?.recip()?;
    Ok((centred.broadcast_mul(&scale)?, scale))
}

/// `rest`, if there is one, and the gradient of `x`: with `n` the normalised rows and
/// `h = dy * weight`, `(h - mean(h) - n mean(h n)) / deviation`.
pub(in crate::device) fn pull(
    norm: &LayerNorm,
    x: &Tensor,
    dy: &Tensor,
    rest: Option<&Tensor>,
    gradients: &mut Gradients,
) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if crate::device::fused::is_fused(x)
        && !gradients.wants(&norm.weight)
        && !gradients.wants(&norm.bias)
    {
        let rest = match rest {
            Some(rest) => rest.clone(),
            None => x.zeros_like()?,
        };
        return crate::device::fused::norm_pull(norm, x, dy, &rest);
    }
    let dtype = x.dtype();
    let (x, dy) = (x.to_dtype(DType::F32)?, dy.to_dtype(DType::F32)?);
    let (normal, scale) = normalise(norm, &x)?;
    gradients.add(&norm.weight, || (&dy * &normal)?.sum(0))?;
    gradients.add(&norm.bias, || dy.sum(0))?;
    let h = dy.broadcast_mul(&norm.weight.to_dtype(DType::F32)?)?;
    let average = h.mean_keepdim(D::Minus1)?;
    let along = (&h * &normal)?.mean_keepdim(D::Minus1)?;
    let dx = (h.broadcast_sub(&average)? - normal.broadcast_mul(&along)?)?;
    let dx = dx.broadcast_mul(&scale)?.to_dtype(dtype)?;
    match rest {
        Some(rest) => rest + dx,
        None => Ok(dx),
    }
}
