//! What a plugin is told about the backbone and the task.

use serde::{Deserialize, Serialize};

use super::{Site, Tower};

/// Everything that is known before weights are loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// The backbone.
    pub backbone: BackboneFacts,
    /// Source or target.
    pub role: Role,
    /// The data set.
    pub task: TaskFacts,
}

/// Whether a module is trained on this backbone or moved to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Trained here.
    Source,
    /// Moved here from a source.
    Target,
}

/// Dimensions of a backbone and the sites it offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackboneFacts {
    /// Name in the suite.
    pub name: String,
    /// E, the dimension of the joint embedding space.
    pub embed_dim: usize,
    /// The text tower.
    pub text: TextFacts,
    /// The image tower.
    pub image: ImageFacts,
    /// Where modules can act.
    pub sites: Vec<Site>,
    /// The weights, biases and gains that edits can change. Since ABI 1.1.
    #[serde(default)]
    pub parameters: Vec<NamedParameter>,
}

/// A parameter of a tower. Names are the same for every checkpoint format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedParameter {
    /// Which tower.
    pub tower: Tower,
    /// `blocks.3.attn.q.weight`, `ln_final.bias`, …
    pub name: String,
    /// `[n]` for a bias or gain, `[out, in]` for a weight.
    pub shape: Vec<usize>,
}

/// Dimensions of the text tower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextFacts {
    /// D, the width of a token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// Longest prompt in tokens.
    pub context_length: usize,
    /// Number of token ids.
    pub vocab_size: usize,
    /// `quick-gelu` or `gelu`.
    pub activation: String,
}

/// Dimensions of the image tower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// Width of a token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// Patches per image, without the class token.
    pub patches: usize,
    /// Whether a LayerNorm precedes the blocks, as in OpenAI's CLIP.
    pub has_ln_pre: bool,
    /// Whether attention uses rotary position embeddings.
    pub has_rope: bool,
}

/// The data set and its splits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskFacts {
    /// Name in the suite.
    pub dataset: String,
    /// The classes, in label order.
    pub classes: Vec<Class>,
    /// The data set's own templates, with one `{}` for the class name.
    pub templates: Vec<String>,
    /// Few-shot training images; 0 on a target.
    pub train_rows: usize,
    /// Augmented views of each training image: epoch e uses view e modulo this number.
    #[serde(default = "one")]
    pub train_views: usize,
    /// Few-shot validation images; 0 on a target.
    pub val_rows: usize,
}

/// Hosts of ABI 1.0 have one view.
fn one() -> usize {
    1
}

/// A class of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Stable id, the same in every data set with this class.
    pub id: String,
    /// Name as in the data set; may contain `_` for a space.
    pub name: String,
}
