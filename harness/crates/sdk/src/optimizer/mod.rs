//! Optimisers of the field, with torch's update rules.

mod adam;
mod kind;
mod sgd;

pub(crate) use kind::Optimizer;
pub use kind::OptimizerKind;
