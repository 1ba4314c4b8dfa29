//! From a suite to units of work and the cells that are made of them.

mod cells;
mod common;
mod fit;
#[cfg(test)]
pub(crate) mod fixture;
mod graph;
mod inputs;
mod selection;
#[cfg(test)]
mod tests;

pub(crate) use cells::Coordinates;
pub use cells::{CellPlan, Plan, Trouble};
pub use fit::Fits;
pub use graph::{Graph, Unit, UnitKind};
pub use inputs::{Engine, Inputs, MethodInput};
pub use selection::{Selection, SelectionError, Term};
