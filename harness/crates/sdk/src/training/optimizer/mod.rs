//! Optimizers with the update rules of `torch.optim`.

mod adam;
mod sgd;
mod update;

pub(super) use update::Optimizer;
