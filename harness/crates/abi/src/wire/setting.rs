//! What a plugin is told about the backbone and the task.

use serde::{Deserialize, Serialize};

use super::{Site, Tower};

/// Everything that is known without loading a weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    pub backbone: BackboneFacts,
    pub role: Role,
    pub task: TaskFacts,
}

/// Whether a module is trained here or only put here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Source,
    Target,
}

/// Dimensions of a backbone and the sites it offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackboneFacts {
    pub name: String,
    /// Width of the joint space, E.
    pub embed_dim: usize,
    pub text: TextFacts,
    pub image: ImageFacts,
    pub sites: Vec<Site>,
    /// The weights, biases and gains that an edit can name. Since ABI 1.1.
    #[serde(default)]
    pub parameters: Vec<NamedParameter>,
}

/// A parameter of a tower under its canonical name, the same for every layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedParameter {
    pub tower: Tower,
    /// `blocks.3.attn.q.weight`, `ln_final.bias`, …
    pub name: String,
    /// `[n]` for a bias or gain, `[out, in]` for a weight.
    pub shape: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextFacts {
    /// Width of a token, D.
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    pub context_length: usize,
    pub vocab_size: usize,
    /// `quick-gelu` or `gelu`.
    pub activation: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    /// Patches of one image, the class token not counted.
    pub patches: usize,
    pub has_ln_pre: bool,
    pub has_rope: bool,
}

/// The data set at hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskFacts {
    pub dataset: String,
    pub classes: Vec<Class>,
    /// Templates with one `{}` for the class name, the data set's own.
    pub templates: Vec<String>,
    /// Few-shot training images; 0 on a target.
    pub train_rows: usize,
    /// Views of each training image: epoch e reads view e modulo this number.
    #[serde(default = "one")]
    pub train_views: usize,
    /// Few-shot validation images; 0 on a target.
    pub val_rows: usize,
}

/// Hosts of ABI 1.0 know of one view.
fn one() -> usize {
    1
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Stable id, the same in every data set that holds the class.
    pub id: String,
    pub name: String,
}
