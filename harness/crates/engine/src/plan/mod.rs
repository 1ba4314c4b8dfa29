//! From a suite to units of work and the cells that are made of them.

mod cells;
mod common;
mod fit;
#[cfg(test)]
pub(crate) mod fixture;
mod graph;
mod index;
mod inputs;
mod key;
mod not_measured;
#[cfg(test)]
mod tests;

pub use cells::{CellPlan, Plan};
pub(crate) use cells::{Coordinates, cell_labels, suite_labels};
pub use fit::Fits;
pub(crate) use graph::Placement;
pub use graph::{Graph, Unit, UnitResult};
pub use index::{BackboneIndex, DatasetIndex, MethodIndex, UnitIndex};
pub use inputs::{Engine, Inputs, MethodInput, ModuleHome};
pub use not_measured::NotMeasured;
