//! What a checkpoint does not say about its training.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::method::ModuleMethod;

/// What is converted, and what its file does not contain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    pub method: ModuleMethod,
    /// The backbone it was trained on.
    pub source: String,
    pub dataset: String,
    /// Class ids in the order of training; required if a tensor has a class dimension.
    pub classes: Vec<String>,
    pub seed: u64,
    /// Words that the context was initialised with; `None` for random numbers.
    pub init: Option<String>,
    /// Keys of the method's configuration that replace those derived from the file.
    pub config: Map<String, Value>,
    /// File with the values of a Tip-Adapter cache, if it is not beside the keys.
    #[serde(with = "harness_store::json_path::optional", default)]
    pub values: Option<PathBuf>,
}

impl TrainingRecord {
    /// Checks the size of a class dimension.
    pub(super) fn check_classes(&self, tensor: &str, classes: usize) -> Result<(), String> {
        match self.classes.len() {
            named if named == classes => Ok(()),
            0 => Err(format!(
                "`{tensor}` has {classes} classes; list their ids in order with --classes"
            )),
            named => Err(format!(
                "`{tensor}` has {classes} classes, but --classes lists {named}"
            )),
        }
    }

    /// A number that the file does not contain, from the configuration.
    pub(super) fn number(&self, key: &str) -> Option<f32> {
        self.config.get(key)?.as_f64().map(|number| number as f32)
    }
}
