//! Training, probing and the module file.

use serde::{Deserialize, Serialize};

use super::Split;

/// What a method would train in a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    pub parameters: Vec<ParameterShape>,
    /// The recipe as the configuration leaves it.
    pub recipe: serde_json::Value,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterShape {
    pub name: String,
    /// 0 is a dimension that the module decides: the number of training images, say.
    pub shape: Vec<usize>,
    /// The dimension that has one entry for each class, if one does: the classes of
    /// the task where the module was trained, by the ids in its header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_axis: Option<usize>,
    /// Whether a module may go without it where a backbone has no counterpart.
    /// Since ABI 1.1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Carried like the others, but not trained. Since ABI 1.1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
}

/// One training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainJob {
    /// Seeds initialisation and batch order.
    pub seed: u64,
    /// Overrides of the recipe: an object; unknown keys are errors.
    #[serde(default)]
    pub recipe: serde_json::Value,
}

/// How a training went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainSummary {
    pub steps: u64,
    /// Trained numbers in total.
    pub parameters: u64,
    /// Loss of the last step; none when no step was taken.
    pub final_loss: Option<f64>,
    /// The recipe that was followed.
    pub recipe: serde_json::Value,
}

/// Rows to probe a module on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    pub split: Split,
    pub rows: Vec<u32>,
}

/// The loss of a probe and the names of its gradients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeReply {
    pub loss: f64,
    pub gradients: Vec<String>,
}

/// Metadata of a module file, under the key `harness` of its safetensors header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModuleHeader {
    /// `harness-module/1`.
    pub format: String,
    pub plugin: String,
    pub plugin_version: String,
    pub method: String,
    pub config: serde_json::Value,
    /// Backbone the module was trained on.
    pub source: String,
    pub dataset: String,
    /// Class ids, in the order of any tensor that has a class dimension.
    pub classes: Vec<String>,
    pub seed: u64,
}

impl ModuleHeader {
    pub const FORMAT: &'static str = "harness-module/1";
    /// Key of the header in the safetensors metadata.
    pub const KEY: &'static str = "harness";
}
