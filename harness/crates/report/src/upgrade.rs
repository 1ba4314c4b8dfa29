//! Which backbone becomes which.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An ordered pair of backbones.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    pub source: String,
    pub target: String,
}

/// Backbones that replace one another, from the oldest to the newest: modules of each are moved
/// to every later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    pub backbones: Vec<String>,
}
