//! What is converted and how.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is converted and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Entry of the checkpoint that holds the state dict; found automatically if it has one
    /// of the usual names.
    pub key: Option<String>,
    /// Entries that are not written; each must be there.
    pub leave_out: Vec<String>,
    /// Whether half precision becomes single precision.
    pub widen: bool,
    /// Metadata of the file that is written.
    pub metadata: BTreeMap<String, String>,
}
