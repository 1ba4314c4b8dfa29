//! Values of the toy towers.

use candle_core::{Device, Tensor};

use crate::Result;

/// Fixed pseudo-random values.
pub(super) fn fixed_values(shape: &[usize], phase: f64, scale: f64) -> Result<Tensor> {
    let count = shape.iter().product::<usize>();
    let value = |i: usize| ((i as f64 * 12.9898 + phase * 78.233).sin() * scale) as f32;
    let values: Vec<f32> = (0..count).map(value).collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}
