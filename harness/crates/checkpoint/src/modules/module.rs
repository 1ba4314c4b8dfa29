//! A module before it is written.

use serde_json::Value;

use super::weights::Weight;

/// Tensors under the names of the method's parameters, and the method's configuration.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) tensors: Vec<(String, Weight)>,
    pub(super) config: Value,
}
