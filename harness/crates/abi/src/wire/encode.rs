//! Requests to the towers.

use serde::{Deserialize, Serialize};

use super::Split;

/// G groups × C classes of prompts, as segments in order.
///
/// A prompt is the concatenation of its segments; its last token must be the
/// end-of-text token, where the features are taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextRequest {
    pub groups: usize,
    pub classes: usize,
    pub segments: Vec<Segment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// Whether [`vjp`](crate::Host::vjp) will be asked for.
    pub tape: bool,
}

/// A stretch of a prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Segment {
    Tokens(TokenRows),
    /// Tensor `tensor` of the request, `[G|1, C|1, M, D]`: what is 1 is shared,
    /// and only because the request says so, never because values are equal.
    Context {
        tensor: usize,
    },
}

/// Token ids, the same for all classes or ragged per class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenRows {
    Shared(Vec<u32>),
    PerClass(Vec<Vec<u32>>),
}

/// A change at a deeper site. Tensors have broadcastable leading dimensions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Edit {
    /// Replace tokens `start..start + n` at the input of block `layer` (0 is the
    /// tower's input) by tensor `[G|1, C|1, n, width]`. In the image tower the
    /// tensor is `[B|1, n, width]` and `start` counts from the end: n stands for
    /// the last n tokens.
    ReplaceTokens {
        tower: Tower,
        layer: usize,
        start: usize,
        tensor: usize,
    },
    /// Append tensor `[B|1, n, width]` after the patches at the image input.
    AppendTokens { tensor: usize },
    /// Add `scale · B A` to a named linear weight; `a` is `[r, in]`, `b` `[out, r]`.
    LowRank {
        tower: Tower,
        weight: String,
        a: usize,
        b: usize,
        scale: f32,
        /// Of the input of `a`, in training. Since ABI 1.1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dropout: Option<Dropout>,
    },
    /// Change a named bias or gain; the names are the backbone's
    /// [`parameters`](super::BackboneFacts::parameters).
    Bias {
        tower: Tower,
        name: String,
        mode: BiasMode,
        tensor: usize,
    },
}

/// Zeroes a share `rate` of the elements and enlarges the others by `1 / (1 - rate)`;
/// the mask is a function of the seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    pub rate: f32,
    pub seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tower {
    Text,
    Image,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BiasMode {
    Replace,
    Delta,
}

/// Rows of a split through the image tower, with edits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageRequest {
    pub split: Split,
    pub rows: Vec<u32>,
    /// Which view of training images, see [`train_views`](super::TaskFacts::train_views).
    #[serde(default, skip_serializing_if = "super::service::is_first")]
    pub view: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    pub tape: bool,
}

/// What came of an encoding, beside its tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoded {
    /// For [`vjp`](crate::Host::vjp) and [`release`](crate::Host::release), when a
    /// tape was asked for.
    pub tape: Option<u64>,
}
