//! Optimizers with the update rules of `torch.optim`.

mod adam;
mod sgd;
mod states;
mod update;

pub(super) use states::Optimizer;
