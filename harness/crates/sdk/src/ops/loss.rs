//! Losses. Targets are constants: no gradient flows into them.

use candle_core::{D, Tensor};

use super::norm::{log_softmax, normalize, softmax};
use crate::Result;

/// Mean cross entropy of logits `[B, C]` and class indices `[B]` (u32), a scalar.
///
/// ```
/// use harness_sdk::{Device, Tensor, ops};
/// let logits = Tensor::new(&[[2f32, 0.0], [0.0, 0.0]], &Device::Cpu)?;
/// let labels = Tensor::new(&[0u32, 1], &Device::Cpu)?;
/// let loss = ops::cross_entropy(&logits, &labels)?.to_scalar::<f32>()?;
/// let expected = ((1.0 + (-2f32).exp()).ln() + 2f32.ln()) / 2.0;
/// assert!((loss - expected).abs() < 1e-6);
/// # Ok::<(), harness_sdk::Error>(())
/// ```
///
/// # Errors
/// Shapes that do not match.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let picked = log_softmax(logits)?.gather(&labels.unsqueeze(1)?, 1)?;
    Ok(picked.mean_all()?.neg()?)
}

/// `T² · KL(softmax(teacher / T) || softmax(student / T))`, mean over the batch, of
/// logits `[B, C]` (Hinton et al., arXiv 1503.02531).
///
/// # Errors
/// Shapes that do not match.
pub fn distillation(student: &Tensor, teacher: &Tensor, temperature: f64) -> Result<Tensor> {
    let teacher = (teacher.detach() / temperature)?;
    let student = (student / temperature)?;
    let difference = (log_softmax(&teacher)? - log_softmax(&student)?)?;
    let kl = (softmax(&teacher)? * difference)?
        .sum(D::Minus1)?
        .mean_all()?;
    Ok((kl * (temperature * temperature))?)
}

/// `1 - mean_c cos(a_c, b_c)` over the rows of `[C, E]`; `b` is the target.
///
/// # Errors
/// Shapes that do not match.
pub fn cosine_distance(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let cosine = (normalize(a)? * normalize(&b.detach())?)?.sum(D::Minus1)?;
    Ok((1.0 - cosine.mean_all()?)?)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    fn scalar(t: &Tensor) -> f64 {
        f64::from(t.to_scalar::<f32>().unwrap())
    }

    #[test]
    fn cross_entropy_of_equal_logits_is_log_of_the_class_count() {
        let logits = Tensor::zeros((3, 5), candle_core::DType::F32, &Device::Cpu).unwrap();
        let labels = Tensor::new(&[0u32, 4, 2], &Device::Cpu).unwrap();
        let loss = scalar(&cross_entropy(&logits, &labels).unwrap());
        assert!((loss - 5f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn distillation_from_itself_is_zero_with_zero_gradient() {
        let z = Var::new(&[[1f32, -2.0, 0.5], [0.0, 3.0, -1.0]], &Device::Cpu).unwrap();
        let loss = distillation(z.as_tensor(), &z.as_detached_tensor(), 2.0).unwrap();
        assert!(scalar(&loss).abs() < 1e-6);
        let grads = loss.backward().unwrap();
        let grad = grads.get(&z).unwrap().flatten_all().unwrap();
        for g in grad.to_vec1::<f32>().unwrap() {
            assert!(g.abs() < 1e-6, "{g}");
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let teacher = Tensor::new(&[[0.3f32, 1.0, -0.7]], &Device::Cpu).unwrap();
        let labels = Tensor::new(&[2u32], &Device::Cpu).unwrap();
        let start = [0.2f32, -0.4, 0.9];
        let value = |z: &Tensor| {
            let distance = cosine_distance(z, &teacher).unwrap();
            let kd = distillation(z, &teacher, 1.5).unwrap();
            ((cross_entropy(z, &labels).unwrap() + kd).unwrap() + distance).unwrap()
        };
        let z = Var::new(&[start], &Device::Cpu).unwrap();
        let grads = value(z.as_tensor()).backward().unwrap();
        let grad = grads.get(&z).unwrap().to_vec2::<f32>().unwrap();
        for i in 0..3 {
            let shifted = |by: f32| {
                let mut at = start;
                at[i] += by;
                scalar(&value(&Tensor::new(&[at], &Device::Cpu).unwrap()))
            };
            let difference = (shifted(1e-2) - shifted(-1e-2)) / 2e-2;
            let gradient = f64::from(grad[0][i]);
            assert!(
                (difference - gradient).abs() < 1e-3,
                "{i}: {difference} {gradient}"
            );
        }
    }
}
