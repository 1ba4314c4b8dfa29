//! The result of comparing two text towers.

use serde::{Deserialize, Serialize};

/// Change of the text tower from a source to a target, by layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// Format of the file: [`Drift::FORMAT`].
    pub schema: String,
    pub source: Backbone,
    pub target: Backbone,
    /// From the embeddings to the projection.
    pub layers: Vec<LayerDrift>,
    /// Feature changes, one entry a data set; empty if none was named.
    pub datasets: Vec<DatasetDrift>,
}

impl Drift {
    /// Name and major version of the file format that this version writes.
    pub const FORMAT: &'static str = "harness-drift/1";
}

/// One of the two backbones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backbone {
    pub name: String,
    pub layout: String,
    /// Over every file that decides what the backbone computes.
    pub sha256: String,
    /// Nonlinearity of the text tower; a difference is part of the measured change of features.
    pub activation: String,
}

/// Change of the parameters of one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerDrift {
    /// `embeddings`, `block 1` to `block L`, `projection`.
    pub name: String,
    /// Over all parameters of the layer together.
    pub change: Change,
    pub parameters: Vec<ParameterDrift>,
}

/// Change of one tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterDrift {
    /// Such as `blocks.0.attn.q.weight`, the same for every layout.
    pub name: String,
    pub shape: Vec<usize>,
    pub change: Change,
}

/// Sizes of `new - old` over some numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Mean of |new - old|.
    pub mean_absolute: f64,
    /// ‖new - old‖, Euclidean over all the numbers.
    pub norm: f64,
    /// ‖new - old‖ / ‖old‖; none where the old numbers are all 0.
    pub relative: Option<f64>,
}

/// Change of the features of a data set's class prompts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetDrift {
    pub name: String,
    /// Class names times templates.
    pub prompts: u64,
    /// One entry a layer, in the order of [`Drift::layers`].
    pub layers: Vec<FeatureChange>,
}

/// Change of the state at the end token after a layer, averaged over prompts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureChange {
    /// Mean of ‖new - old‖.
    pub absolute: f64,
    /// Mean of ‖new - old‖ / ‖old‖.
    pub relative: f64,
    /// Mean cosine between old and new.
    pub cosine: f64,
}
