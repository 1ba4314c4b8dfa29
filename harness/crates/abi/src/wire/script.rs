//! Methods that a script defines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A script and the program that runs it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Script {
    /// Its file. Absolute.
    pub path: String,
    /// The interpreter: a path, or a name that is looked up as a shell would.
    pub interpreter: String,
}

impl Script {
    /// The id by which a plugin that runs scripts is opened with a script as its configuration,
    /// before its descriptor is read. No method has it: ids have no `@`.
    pub const ID: &str = "@script";
}

/// Everything outside the plugin that decides what a script computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptFacts {
    /// The interpreter and the libraries that it computes with, by name, with their versions.
    pub versions: BTreeMap<String, String>,
    /// SHA-256 of the script and of the files beside it that it imports, by their paths relative
    /// to its folder.
    pub files: BTreeMap<String, String>,
}
