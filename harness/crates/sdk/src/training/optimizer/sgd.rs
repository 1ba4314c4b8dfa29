//! Stochastic gradient descent as in `torch.optim.SGD`.

use candle_core::{Tensor, Var};
use harness_abi::wire::Recipe;

use super::update::Update;
use crate::Result;

pub(super) struct Sgd {
    momentum: f64,
    weight_decay: f64,
    buffer: Option<Tensor>,
}

impl Sgd {
    pub(super) fn new(recipe: &Recipe) -> Self {
        Self {
            momentum: recipe.momentum,
            weight_decay: recipe.weight_decay,
            buffer: None,
        }
    }
}

impl Update for Sgd {
    fn step(&mut self, var: &Var, grad: &Tensor, lr: f64) -> Result<()> {
        let value = var.as_detached_tensor();
        let mut direction = (grad + (&value * self.weight_decay)?)?;
        if self.momentum > 0.0 {
            // As in torch, the first buffer is the gradient itself.
            if let Some(buffer) = &self.buffer {
                direction = ((buffer * self.momentum)? + direction)?;
            }
            self.buffer = Some(direction.detach());
        }
        var.set(&(value - (direction * lr)?)?)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// torch.optim.SGD([1, -2], lr=0.1, momentum=0.9, weight_decay=0.01) with
    /// gradients [0.5, -1], [0.25, 0.5], [-1, 0].
    #[test]
    fn golden_momentum_and_coupled_decay() {
        let recipe = Recipe {
            momentum: 0.9,
            weight_decay: 0.01,
            ..Recipe::default()
        };
        let var = Var::new(&[1f32, -2.0], &Device::Cpu).unwrap();
        let mut sgd = Sgd::new(&recipe);
        let expected = [
            [0.949, -1.898],
            [0.877_151, -1.854_302],
            [0.911_610, -1.813_12],
        ];
        for (grad, expected) in [[0.5f32, -1.0], [0.25, 0.5], [-1.0, 0.0]]
            .iter()
            .zip(expected)
        {
            let grad = Tensor::new(grad, &Device::Cpu).unwrap();
            sgd.step(&var, &grad, 0.1).unwrap();
            for (v, e) in var.to_vec1::<f32>().unwrap().iter().zip(expected) {
                assert!((v - e).abs() < 1e-5, "{v} {e}");
            }
        }
    }
}
