//! A linear classifier on frozen features: what is in them, whatever the text tower makes of it.

use candle_core::{DType, Device, Tensor, Var};

use super::features::accuracy;
use crate::error::EmbeddedError;
use crate::train::{AdamW, Slot, cross_entropy};

const STEPS: usize = 400;
const RATE: f64 = 0.05;
/// Unit features are small; a larger input makes the classifier learn faster.
const GAIN: f64 = 10.0;

/// Test accuracy in percent of a classifier trained on all of `train`.
pub(super) fn linear_probe(
    train: (&Tensor, &[u32]),
    test: (&Tensor, &[u32]),
    classes: usize,
) -> Result<f64, EmbeddedError> {
    let (features, labels) = train;
    let features = (features * GAIN)?.detach();
    let weight = Var::zeros((classes, features.dim(1)?), DType::F32, &Device::Cpu)?;
    let bias = Var::zeros(classes, DType::F32, &Device::Cpu)?;
    let slots = [("weight", &weight), ("bias", &bias)];
    let mut adamw = AdamW::new(slots.map(|(n, v)| Slot::new(n, v, 1.0, 0.01)).into());
    let logits = |x: &Tensor| {
        x.matmul(&weight.as_tensor().t()?)?
            .broadcast_add(bias.as_tensor())
    };
    for step in 0..STEPS {
        let loss = cross_entropy(&logits(&features)?, labels)?;
        let rate = RATE * (1.0 - step as f64 / STEPS as f64);
        adamw.step(&loss.backward()?, rate)?;
    }
    accuracy(&logits(&(test.0 * GAIN)?)?, test.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separable_features_are_told_apart() {
        let angle = |i: usize| (i % 40) as f32 * 0.01 + if i.is_multiple_of(2) { 0.0 } else { 1.2 };
        let rows: Vec<f32> = (0..80)
            .flat_map(|i| [angle(i).cos(), angle(i).sin()])
            .collect();
        let labels: Vec<u32> = (0..80).map(|i| i % 2).collect();
        let x = Tensor::from_vec(rows, (80, 2), &Device::Cpu).expect("tensor");
        let found = linear_probe((&x, &labels), (&x, &labels), 2).expect("probe");
        assert!(found > 99.0, "{found}");
    }
}
