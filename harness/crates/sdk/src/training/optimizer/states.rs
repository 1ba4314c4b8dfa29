//! The optimizer of a training: a state for each parameter.

use candle_core::{Tensor, Var};
use harness_abi::wire::{OptimizerKind, Recipe};

use super::{adam::Adam, sgd::Sgd, update::Update};
use crate::Result;

/// One [`Update`] per parameter, in their order.
pub(in crate::training) struct Optimizer {
    states: Vec<Box<dyn Update>>,
}

impl Optimizer {
    pub(in crate::training) fn new(recipe: &Recipe, parameters: usize) -> Self {
        let state = || -> Box<dyn Update> {
            match recipe.optimizer {
                OptimizerKind::Sgd => Box::new(Sgd::new(recipe)),
                OptimizerKind::Adam | OptimizerKind::AdamW => Box::new(Adam::new(recipe)),
            }
        };
        Self {
            states: (0..parameters).map(|_| state()).collect(),
        }
    }

    /// Steps the parameter at `index`.
    pub(in crate::training) fn step(
        &mut self,
        index: usize,
        var: &Var,
        grad: &Tensor,
        lr: f64,
    ) -> Result<()> {
        self.states[index].step(var, grad, lr)
    }
}
