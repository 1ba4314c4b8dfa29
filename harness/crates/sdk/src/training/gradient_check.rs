//! Compares gradients with finite differences of the loss.
//!
//! An operation without a backward pass in only one of several branches drops a part of the
//! gradient: training runs, and learns less than it could. Only the loss itself shows that.

use candle_core::{Tensor, Var};

use crate::{Error, Result};

/// Relative difference that rounding in f32 explains.
const TOLERANCE: f64 = 2e-2;
/// Absolute difference that it explains.
const ROUNDING: f64 = 1e-4;
/// Lengths of a step. Small ones suffer from rounding, large ones from kinks such as ReLU's.
const STEPS: [f64; 3] = [0.02, 0.005, 0.001];

/// Checks the gradient of one parameter in its own direction, where the slope of the loss is
/// the gradient's norm, with the fourth-order stencil
/// `(8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h`. A part that is orthogonal to the gradient is
/// found in a second direction, which points to every element alike.
///
/// `loss` is the loss with the parameter's present value, which is restored.
///
/// # Errors
/// The slope differs, or `loss` fails.
pub(crate) fn check(
    name: &str,
    var: &Var,
    gradient: &Tensor,
    loss: &dyn Fn() -> Result<f64>,
) -> Result<()> {
    let values = gradient.flatten_all()?.to_vec1::<f32>()?;
    let start = var.as_detached_tensor().copy()?;
    let alike: Vec<f64> = (0..values.len())
        .map(|i| if i.is_multiple_of(2) { 1.0 } else { -1.0 })
        .collect();
    let own = values.iter().map(|&value| f64::from(value)).collect();
    let checked = [own, alike]
        .into_iter()
        .try_for_each(|direction: Vec<f64>| {
            let norm = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
            if norm < ROUNDING {
                return Ok(());
            }
            let unit: Vec<f32> = direction.iter().map(|d| (d / norm) as f32).collect();
            let along = values.iter().zip(&unit);
            let expected: f64 = along.map(|(g, u)| f64::from(*g) * f64::from(*u)).sum();
            let unit = Tensor::from_vec(unit, start.shape(), start.device())?;
            let at = |by: f64| -> Result<f64> {
                var.set(&(&start + (&unit * by)?)?)?;
                loss()
            };
            let mut slopes = vec![];
            for h in STEPS {
                let near = at(h)? - at(-h)?;
                let far = at(2.0 * h)? - at(-2.0 * h)?;
                slopes.push((8.0 * near - far) / (12.0 * h));
            }
            let agrees =
                |slope: &f64| (slope - expected).abs() <= TOLERANCE * expected.abs() + ROUNDING;
            if slopes.iter().any(agrees) {
                return Ok(());
            }
            Err(Error::Numeric(format!(
                "the gradient of parameter `{name}` disagrees with finite differences of the loss: \
             its slope is {expected:.4e}, the loss changes by {}; an operation without a \
             backward pass may drop a part of it; use the operations of harness_sdk::ops",
                slopes
                    .iter()
                    .map(|slope| format!("{slope:.4e}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            )))
        });
    var.set(&start)?;
    checked
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn checked(gradient: &[f32]) -> Result<()> {
        let var = Var::new(&[1f32, -2.0, 0.5], &Device::Cpu).unwrap();
        let loss = || -> Result<f64> {
            let value = var.as_detached_tensor().sqr()?.sum_all()?;
            Ok(f64::from(value.to_scalar::<f32>()?))
        };
        let gradient = Tensor::new(gradient, &Device::Cpu).unwrap();
        let result = check("x", &var, &gradient, &loss);
        let value = var.as_detached_tensor().to_vec1::<f32>().unwrap();
        assert_eq!(value, [1.0, -2.0, 0.5], "the value was not restored");
        result
    }

    #[test]
    fn a_true_gradient_passes_and_a_partial_one_is_named() {
        checked(&[2.0, -4.0, 1.0]).unwrap();
        for partial in [[2.0, -2.0, 1.0], [1.0, -2.0, 0.5], [2.0, 0.0, 1.0]] {
            let error = checked(&partial).unwrap_err().to_string();
            assert!(error.contains("parameter `x`"), "{error}");
        }
    }

    #[test]
    fn a_gradient_of_zero_is_compared_as_well() {
        let error = checked(&[0.0, 0.0, 0.0]).unwrap_err().to_string();
        assert!(error.contains("disagrees"), "{error}");
    }
}
