//! The common interface of all optimizers.

use candle_core::{Tensor, Var};

use crate::Result;

/// The state of an optimizer for one parameter.
pub(super) trait Update {
    /// One step with gradient `grad` and learning rate `lr`.
    fn step(&mut self, var: &Var, grad: &Tensor, lr: f64) -> Result<()>;
}
