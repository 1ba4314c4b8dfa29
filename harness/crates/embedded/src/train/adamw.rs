//! AdamW (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2) over candle variables.

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};

use crate::error::EmbeddedError;

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.98;
const EPSILON: f32 = 1e-6;

/// A trained tensor with its own share of the learning rate.
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) var: Var,
    /// Factor on the learning rate.
    pub(crate) scale: f64,
    /// Decoupled weight decay; zero for biases, norms and embeddings.
    pub(crate) decay: f64,
}

impl Slot {
    /// A slot whose decay, if any, is for matrices alone.
    pub(crate) fn new(name: &str, var: &Var, scale: f64, decay: f64) -> Self {
        let matrix = var.rank() >= 2 && !name.contains("embed") && !name.contains("cls_token");
        let decay = if matrix { decay } else { 0.0 };
        Self {
            name: name.to_owned(),
            var: var.clone(),
            scale,
            decay,
        }
    }
}

struct Moments {
    mean: Vec<f32>,
    square: Vec<f32>,
}

/// Optimiser state for a list of slots.
pub(crate) struct AdamW {
    slots: Vec<Slot>,
    moments: Vec<Moments>,
    steps: i32,
}

impl AdamW {
    pub(crate) fn new(slots: Vec<Slot>) -> Self {
        let moments = slots
            .iter()
            .map(|slot| {
                let n = slot.var.elem_count();
                Moments {
                    mean: vec![0.0; n],
                    square: vec![0.0; n],
                }
            })
            .collect();
        Self {
            slots,
            moments,
            steps: 0,
        }
    }

    /// One update at learning rate `rate`.
    ///
    /// # Errors
    /// A slot without gradient, by name: it would silently stay untrained.
    pub(crate) fn step(&mut self, gradients: &GradStore, rate: f64) -> Result<(), EmbeddedError> {
        self.steps += 1;
        let correct1 = 1.0 - BETA1.powi(self.steps);
        let correct2 = 1.0 - BETA2.powi(self.steps);
        for (slot, moments) in self.slots.iter().zip(&mut self.moments) {
            let Some(gradient) = gradients.get(slot.var.as_tensor()) else {
                return Err(EmbeddedError::Training(format!(
                    "no gradient reached {}",
                    slot.name
                )));
            };
            let gradient = gradient.flatten_all()?.to_vec1::<f32>()?;
            let mut values = slot.var.flatten_all()?.to_vec1::<f32>()?;
            let rate = (rate * slot.scale) as f32;
            let keep = 1.0 - rate * slot.decay as f32;
            for (i, g) in gradient.into_iter().enumerate() {
                let (mean, square) = (&mut moments.mean[i], &mut moments.square[i]);
                *mean = BETA1 * *mean + (1.0 - BETA1) * g;
                *square = BETA2 * *square + (1.0 - BETA2) * g * g;
                let step = *mean / correct1 / ((*square / correct2).sqrt() + EPSILON);
                values[i] = values[i] * keep - rate * step;
            }
            let device = slot.var.device();
            slot.var
                .set(&Tensor::from_vec(values, slot.var.shape(), device)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// Two steps on `loss = sum(c * x)`, against the update written out by hand:
    /// with a constant gradient both corrected moments equal g and g^2, so a step moves by the rate
    /// against the sign of g, after shrinking by `rate * decay`.
    #[test]
    fn golden_steps_of_a_constant_gradient() {
        let device = Device::Cpu;
        let var = Var::new(&[1.0f32, -2.0], &device).expect("var");
        let slope = Tensor::new(&[3.0f32, -0.5], &device).expect("tensor");
        let slot = |scale| Slot {
            name: "x".to_owned(),
            var: var.clone(),
            scale,
            decay: 0.1,
        };
        let mut adamw = AdamW::new(vec![slot(0.5)]);
        for _ in 0..2 {
            let loss = (var.as_tensor() * &slope)
                .and_then(|p| p.sum_all())
                .expect("loss");
            adamw
                .step(&loss.backward().expect("gradients"), 0.2)
                .expect("step");
        }
        // 1 * 0.99 - 0.1 = 0.89; 0.89 * 0.99 - 0.1 = 0.7811. The other likewise, upwards.
        let golden = [0.7811, -2.0 * 0.99 * 0.99 + 0.1 * 0.99 + 0.1];
        for (found, expected) in var.to_vec1::<f32>().expect("values").iter().zip(golden) {
            assert!(
                (found - expected).abs() < 1e-5,
                "{found} against {expected}"
            );
        }
    }

    #[test]
    fn a_variable_without_gradient_is_named() {
        let device = Device::Cpu;
        let var = Var::new(&[1.0f32], &device).expect("var");
        let other = Var::new(&[1.0f32], &device).expect("var");
        let slot = Slot {
            name: "lost".to_owned(),
            var: other,
            scale: 1.0,
            decay: 0.0,
        };
        let gradients = var.sum_all().and_then(|s| s.backward()).expect("gradients");
        let error = AdamW::new(vec![slot])
            .step(&gradients, 0.1)
            .expect_err("no gradient");
        assert!(error.to_string().contains("lost"));
    }
}
