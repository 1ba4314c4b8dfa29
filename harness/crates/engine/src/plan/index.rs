//! Positions in a plan and in its inputs: a type for each list, so that none stands for another.

/// Position in [`Graph::units`](super::Graph::units).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitIndex(pub usize);

/// Position in [`Inputs::methods`](super::Inputs::methods).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodIndex(pub usize);

/// Position in [`Inputs::backbones`](super::Inputs::backbones).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackboneIndex(pub usize);

/// Position in [`Inputs::datasets`](super::Inputs::datasets).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetIndex(pub usize);
