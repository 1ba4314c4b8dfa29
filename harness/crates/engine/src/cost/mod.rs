//! What units cost: floating-point operations of the towers, how fast this machine does them,
//! memory and disk, and what fits into a time.

mod estimate;
mod flops;
mod footprint;
mod model;
mod subset;
#[cfg(test)]
mod tests;
mod throughput;

pub use estimate::{CostShare, Estimate, Gpus};
pub use throughput::{Throughput, ThroughputError};

pub(crate) use estimate::UnitCosts;
pub(crate) use model::CostModel;
pub(crate) use subset::{Budget, Fitting, fitting};
