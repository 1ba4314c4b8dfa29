//! Adam (arXiv 1412.6980) and AdamW (arXiv 1711.05101) as in `torch.optim`.

use candle_core::{Tensor, Var};
use harness_abi::wire::{OptimizerKind, Recipe};

use super::update::Update;
use crate::Result;

pub(super) struct Adam {
    betas: [f64; 2],
    eps: f64,
    weight_decay: f64,
    decoupled: bool,
    step: i32,
    moments: Option<(Tensor, Tensor)>,
}

impl Adam {
    pub(super) fn new(recipe: &Recipe) -> Self {
        Self {
            betas: recipe.betas,
            eps: recipe.eps,
            weight_decay: recipe.weight_decay,
            decoupled: recipe.optimizer == OptimizerKind::AdamW,
            step: 0,
            moments: None,
        }
    }
}

impl Update for Adam {
    fn step(&mut self, var: &Var, grad: &Tensor, lr: f64) -> Result<()> {
        let mut value = var.as_detached_tensor();
        let grad = if self.decoupled {
            value = (value * (1.0 - lr * self.weight_decay))?;
            grad.detach()
        } else {
            (grad + (&value * self.weight_decay)?)?.detach()
        };
        let [b1, b2] = self.betas;
        let first = (&grad * (1.0 - b1))?;
        let second = (grad.sqr()? * (1.0 - b2))?;
        let (first, second) = match &self.moments {
            None => (first, second),
            Some((m, v)) => (((m * b1)? + first)?, ((v * b2)? + second)?),
        };
        self.step += 1;
        let root = (&second / (1.0 - b2.powi(self.step)))?.sqrt()?;
        let update = (&first / (root + self.eps)?)?;
        let rate = lr / (1.0 - b1.powi(self.step));
        var.set(&(value - (update * rate)?)?)?;
        self.moments = Some((first, second));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// torch.optim.Adam and AdamW on [1, -2], lr=0.1, weight_decay=0.01, eps=1e-8,
    /// with gradients [0.5, -1], [0.25, 0.5], [-1, 0].
    #[test]
    fn golden_coupled_and_decoupled_decay() {
        let adam = [
            [0.9, -1.9],
            [0.806_555, -1.871_152],
            [0.825_848, -1.847_796],
        ];
        let adam_w = [
            [0.899, -1.898],
            [0.804_883, -1.869_468],
            [0.824_714, -1.847_011],
        ];
        for (optimizer, expected) in [(OptimizerKind::Adam, adam), (OptimizerKind::AdamW, adam_w)] {
            let recipe = Recipe {
                optimizer,
                weight_decay: 0.01,
                ..Recipe::default()
            };
            let var = Var::new(&[1f32, -2.0], &Device::Cpu).unwrap();
            let mut state = Adam::new(&recipe);
            let gradients = [[0.5f32, -1.0], [0.25, 0.5], [-1.0, 0.0]];
            for (grad, expected) in gradients.iter().zip(expected) {
                let grad = Tensor::new(grad, &Device::Cpu).unwrap();
                state.step(&var, &grad, 0.1).unwrap();
                for (v, e) in var.to_vec1::<f32>().unwrap().iter().zip(expected) {
                    assert!((v - e).abs() < 1e-5, "{optimizer:?}: {v} {e}");
                }
            }
        }
    }
}
