//! Nonlinearities of the MLPs.

use candle_core::{Result, Tensor};

use crate::dims::Activation;
use crate::ops::math::QUICK;

/// The activation of every value.
pub(in crate::device) fn forward(activation: Activation, x: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if crate::device::fused::is_fused(x) {
        return crate::device::fused::activate(activation, x);
    }
    match activation {
        Activation::QuickGelu => x * sigmoid(&(x * f64::from(QUICK))?)?,
        Activation::Gelu => x.gelu_erf(),
    }
}

/// The gradient of the activation's argument.
pub(in crate::device) fn pull(activation: Activation, x: &Tensor, dy: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if crate::device::fused::is_fused(x) {
        return crate::device::fused::activate_pull(activation, x, dy);
    }
    match activation {
        Activation::QuickGelu => {
            let scaled = (x * f64::from(QUICK))?;
            let s = sigmoid(&scaled)?;
            // s + 1.702 x s (1 - s) = s (1 + 1.702 x (1 - s))
            let rest = (scaled * s.affine(-1.0, 1.0)?)?;
            dy * (s * (rest + 1.0)?)?
        }
        Activation::Gelu => {
            let cdf = (x * std::f64::consts::FRAC_1_SQRT_2)?
                .erf()?
                .affine(0.5, 0.5)?;
            let density = ((x.sqr()? * -0.5)?.exp()? * (0.5 * DENSITY))?;
            dy * (cdf + (x * density)?)?
        }
    }
}

/// `2 / sqrt(2 pi)`; half of it is the density of the standard normal distribution at 0.
const DENSITY: f64 = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;

/// `silu(gate) * value`.
pub(in crate::device) fn gated(gate: &Tensor, value: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if crate::device::fused::is_fused(gate) {
        return crate::device::fused::gated(gate, value);
    }
    gate.silu()? * value
}

/// The gradients of gate and value.
pub(in crate::device) fn pull_gated(
    gate: &Tensor,
    value: &Tensor,
    dy: &Tensor,
) -> Result<(Tensor, Tensor)> {
    #[cfg(feature = "cuda")]
    if crate::device::fused::is_fused(gate) {
        return crate::device::fused::gated_pull(gate, value, dy);
    }
    let s = sigmoid(gate)?;
    let slope = (&s * ((gate * s.affine(-1.0, 1.0)?)? + 1.0)?)?;
    Ok((((dy * value)? * slope)?, (dy * gate.silu()?)?))
}

fn sigmoid(x: &Tensor) -> Result<Tensor> {
    (x.neg()?.exp()? + 1.0)?.recip()
}
