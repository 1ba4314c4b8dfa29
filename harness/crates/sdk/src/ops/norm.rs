//! Normalisations over the last dimension.
//!
//! Our own because `candle_nn`'s, differentiable too, give gradients with other last bits
//! (they backpropagate through the maximum): every trained module would change.

use candle_core::{D, Tensor};

use crate::Result;

/// `x / ||x||` over the last dimension.
///
/// ```
/// use harness_sdk::{Device, Tensor, ops};
/// let x = Tensor::new(&[[3f32, 4.0]], &Device::Cpu)?;
/// assert_eq!(ops::normalize(&x)?.to_vec2::<f32>()?, [[0.6, 0.8]]);
/// # Ok::<(), harness_sdk::Error>(())
/// ```
///
/// # Errors
/// Not a float tensor.
pub fn normalize(x: &Tensor) -> Result<Tensor> {
    let norm = x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    Ok(x.broadcast_div(&norm)?)
}

/// Softmax over the last dimension. Its gradient arrives, unlike that of candle's fused one.
///
/// ```
/// use harness_sdk::{Device, Tensor, ops};
/// let x = Tensor::new(&[0f32, 0.0], &Device::Cpu)?;
/// assert_eq!(ops::softmax(&x)?.to_vec1::<f32>()?, [0.5, 0.5]);
/// # Ok::<(), harness_sdk::Error>(())
/// ```
///
/// # Errors
/// Not a float tensor.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    // The shift cancels out in value and gradient.
    let shift = x.max_keepdim(D::Minus1)?.detach();
    let exp = x.broadcast_sub(&shift)?.exp()?;
    let sum = exp.sum_keepdim(D::Minus1)?;
    Ok(exp.broadcast_div(&sum)?)
}

/// Logarithm of the softmax over the last dimension.
///
/// # Errors
/// Not a float tensor.
pub fn log_softmax(x: &Tensor) -> Result<Tensor> {
    let shift = x.max_keepdim(D::Minus1)?.detach();
    let x = x.broadcast_sub(&shift)?;
    let log_sum = x.exp()?.sum_keepdim(D::Minus1)?.log()?;
    Ok(x.broadcast_sub(&log_sum)?)
}

/// `scale · cos(image, text)`: image `[B, E]`, text `[C, E]`, result `[B, C]`.
///
/// # Errors
/// Shapes that do not match.
pub fn cosine_logits(image: &Tensor, text: &Tensor, scale: f64) -> Result<Tensor> {
    let logits = normalize(image)?.matmul(&normalize(text)?.t()?)?;
    Ok((logits * scale)?)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    /// The operation's result, and the gradient of its weighted sum.
    fn run(operation: impl Fn(&Tensor) -> Tensor) -> (Vec<f32>, Vec<f32>) {
        let x = [2.5f32, -1.0, 0.25, 7.0, 6.5, -3.0];
        let x = Var::from_slice(&x, (2, 3), &Device::Cpu).unwrap();
        let weights = Tensor::new(&[0.3f32, -1.1, 0.7], &Device::Cpu).unwrap();
        let result = operation(x.as_tensor());
        let loss = result.broadcast_mul(&weights).unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1().unwrap();
        (flat(&result), flat(gradients.get(&x).unwrap()))
    }

    #[test]
    fn values_and_gradients_agree_with_candle_nn() {
        let pairs = [
            (
                run(|x| softmax(x).unwrap()),
                run(|x| candle_nn::ops::softmax(x, D::Minus1).unwrap()),
            ),
            (
                run(|x| log_softmax(x).unwrap()),
                run(|x| candle_nn::ops::log_softmax(x, D::Minus1).unwrap()),
            ),
        ];
        for (ours, theirs) in pairs {
            let (value, gradient) = (ours.0.iter().zip(&theirs.0), ours.1.iter().zip(&theirs.1));
            for (a, b) in value.chain(gradient) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
    }
}
