//! What the two towers' passes without a graph share: weights as slices, affine maps with their
//! pull-backs, buffers, and threads whose results are taken in order.

mod maps;
mod parallel;
mod pool;
mod values;

pub(crate) use maps::{Map, Norm, Reads, WeightGradients};
pub(crate) use parallel::in_order;
pub(crate) use pool::{Buffer, Pool};
pub(crate) use values::{Builder, Inputs, Slot, Value, Values, with_values};
