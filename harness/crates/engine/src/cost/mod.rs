//! What units cost: floating-point operations of the towers, and how fast this machine does them.

mod estimate;
mod flops;
mod model;
mod throughput;

pub use estimate::Estimate;
pub use throughput::{Throughput, ThroughputError};

pub(crate) use model::CostModel;
