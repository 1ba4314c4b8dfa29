//! How a data set is read, beyond where it lies.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Templates;

/// What a suite may say of a data set. The default reads it as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Opening {
    /// The entry of the list of known data sets whose layout it has; detected otherwise.
    pub known: Option<String>,
    /// In place of its own templates.
    pub templates: Option<Templates>,
    /// Whether images that are missing or unreadable are left out rather than an error.
    pub allow_missing: bool,
    /// How it is divided, where it does not say itself.
    pub division: Option<Division>,
    /// The data set of which it is a shifted test set, in place of what it says itself.
    pub shift_of: Option<String>,
    /// Folder in which digests of image files are remembered. Speed alone depends on it.
    pub digests: Option<PathBuf>,
}

/// A division of images into train, val and test, drawn class by class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Division {
    pub seed: u64,
    /// Share of each class that goes to val.
    pub val: f64,
    /// Share of each class that goes to test.
    pub test: f64,
}
