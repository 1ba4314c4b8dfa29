//! Which optimiser, and the one interface to all of them.

use candle_core::{Tensor, Var};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{adam::Adam, sgd::Sgd};
use crate::{Recipe, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// With momentum and coupled weight decay; no dampening, no Nesterov.
    Sgd,
    /// With coupled weight decay.
    Adam,
    /// With decoupled weight decay (arXiv 1711.05101).
    AdamW,
}

/// The state of an optimiser for one parameter.
pub(crate) trait Update {
    /// One step along `grad` with rate `lr`.
    fn step(&mut self, var: &Var, grad: &Tensor, lr: f64) -> Result<()>;
}

/// One [`Update`] per parameter, in their order.
pub(crate) struct Optimizer {
    states: Vec<Box<dyn Update>>,
}

impl Optimizer {
    pub(crate) fn new(recipe: &Recipe, parameters: usize) -> Self {
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
    pub(crate) fn step(&mut self, index: usize, var: &Var, grad: &Tensor, lr: f64) -> Result<()> {
        self.states[index].step(var, grad, lr)
    }
}
