//! Affine maps and their low-rank changes.

use candle_core::{Result, Tensor};

use crate::device::gradients::Gradients;
use crate::ops::{Linear, LowRank, WeightLayout};

/// `[R, in] -> [R, out]`.
pub(in crate::device) fn forward(linear: &Linear, x: &Tensor) -> Result<Tensor> {
    let y = match linear.layout {
        WeightLayout::OutIn => x.matmul(&linear.weight.t()?)?,
        WeightLayout::InOut => x.matmul(&linear.weight)?,
    };
    let y = match &linear.bias {
        Some(bias) => add_bias(&y, bias)?,
        None => y,
    };
    match &linear.low_rank {
        Some(change) => y + forward_change(change, x)?,
        None => Ok(y),
    }
}

/// `rest` and what the map gives.
pub(in crate::device) fn forward_onto(
    rest: &Tensor,
    linear: &Linear,
    x: &Tensor,
) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let (
        Linear {
            low_rank: None,
            layout: WeightLayout::OutIn,
            ..
        },
        Some(bias),
    ) = (linear, &linear.bias)
        && crate::device::fused::is_fused(x)
    {
        let y = x.matmul(&linear.weight.t()?)?;
        return crate::device::fused::add_bias_and_rest(&y, bias, rest);
    }
    rest + forward(linear, x)?
}

fn add_bias(y: &Tensor, bias: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if crate::device::fused::is_fused(y) {
        return crate::device::fused::add_bias(y, bias);
    }
    y.broadcast_add(bias)
}

/// The gradient of `x`, which itself is needed where there is a low-rank change.
pub(in crate::device) fn pull(
    linear: &Linear,
    x: Option<&Tensor>,
    dy: &Tensor,
    gradients: &mut Gradients,
) -> Result<Tensor> {
    if let Some(bias) = &linear.bias {
        gradients.add(bias, || dy.sum(0))?;
    }
    let dx = match linear.layout {
        WeightLayout::OutIn => dy.matmul(&linear.weight)?,
        WeightLayout::InOut => dy.matmul(&linear.weight.t()?)?,
    };
    match (&linear.low_rank, x) {
        (Some(change), Some(x)) => dx + pull_change(change, x, dy, gradients)?,
        _ => Ok(dx),
    }
}

/// `scale * B A drop(x)`.
pub(in crate::device) fn forward_change(change: &LowRank, x: &Tensor) -> Result<Tensor> {
    let narrow = dropped(change, x)?.matmul(&change.a.t()?)?;
    narrow.matmul(&change.b.t()?)? * f64::from(change.scale)
}

/// The gradient that a low-rank change adds to that of `x`.
pub(in crate::device) fn pull_change(
    change: &LowRank,
    x: &Tensor,
    dy: &Tensor,
    gradients: &mut Gradients,
) -> Result<Tensor> {
    let dy = (dy * f64::from(change.scale))?;
    let narrow = dy.matmul(&change.b)?;
    let kept = dropped(change, x)?;
    gradients.add(&change.a, || narrow.t()?.matmul(&kept))?;
    gradients.add(&change.b, || {
        dy.t()?.matmul(&kept.matmul(&change.a.t()?)?.contiguous()?)
    })?;
    dropped(change, &narrow.matmul(&change.a)?)
}

/// What dropout leaves of `x`; its own transpose, so gradients pass it likewise. The mask is that of
/// the CPU.
fn dropped(change: &LowRank, x: &Tensor) -> Result<Tensor> {
    let Some(dropout) = change.dropout else {
        return Ok(x.clone());
    };
    let mut mask = vec![1f32; x.elem_count()];
    dropout.apply(&mut mask);
    let mask = Tensor::from_vec(mask, x.shape(), x.device())?.to_dtype(x.dtype())?;
    x * mask
}
