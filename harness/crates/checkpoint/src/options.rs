//! What is converted and how.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is converted and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Entry of the checkpoint that holds the state dict, with dots between nested ones; found
    /// automatically if it has one of the usual names.
    pub key: Option<String>,
    /// Entries that are not written; each must be there.
    pub leave_out: Vec<String>,
    /// Patterns with `*` and `?` of tensors that are not written; each must match one.
    pub drop: Vec<String>,
    /// What every name begins with and is left out; by default what training tools put there and
    /// what leads to the names of a known layout.
    pub strip_prefix: Option<String>,
    /// Beginnings of names and what takes their place, after the prefix is left out.
    pub rename: Vec<(String, String)>,
    /// Whether half precision becomes single precision.
    pub widen: bool,
    /// Metadata of the file that is written.
    pub metadata: BTreeMap<String, String>,
}
