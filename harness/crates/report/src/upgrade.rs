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
