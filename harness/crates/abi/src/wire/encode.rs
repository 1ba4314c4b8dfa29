//! Requests to encode text and images.

use serde::{Deserialize, Serialize};

use super::Split;

/// G groups × C classes of prompts, as segments in order.
///
/// A prompt is the concatenation of its segments. Its last token must be the
/// end-of-text token, where the features are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextRequest {
    /// G, the number of groups: 1, or one prompt per class for each image.
    pub groups: usize,
    /// C, the number of classes.
    pub classes: usize,
    /// The parts of each prompt, in order.
    pub segments: Vec<Segment>,
    /// Changes inside the text tower.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// Whether [`vjp`](crate::Host::vjp) will be called.
    pub tape: bool,
}

/// A part of a prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Segment {
    /// Token ids.
    Tokens(TokenRows),
    /// Learned vectors `[G|1, C|1, M, D]`; a dimension of 1 is shared.
    Context {
        /// Index among the request's tensors.
        tensor: usize,
    },
}

/// Token ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenRows {
    /// The same for all classes.
    Shared(Vec<u32>),
    /// One list per class, of any length.
    PerClass(Vec<Vec<u32>>),
}

/// A change inside a tower. Tensors are indices into the request's tensors; their leading
/// dimensions broadcast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Edit {
    /// Replaces n tokens at the input of a block.
    ReplaceTokens {
        /// Which tower.
        tower: Tower,
        /// The block; 0 is the tower's input.
        layer: usize,
        /// Position of the first token. In the image tower it counts from the end: n is
        /// the last n tokens.
        start: usize,
        /// `[G|1, C|1, n, width]`, in the image tower `[B|1, n, width]`.
        tensor: usize,
    },
    /// Appends tokens after the patches at the image input.
    AppendTokens {
        /// `[B|1, n, width]`.
        tensor: usize,
    },
    /// Adds `scale · B A` to a weight of a linear layer.
    LowRank {
        /// Which tower.
        tower: Tower,
        /// Name of the weight, see [`parameters`](super::BackboneFacts::parameters).
        weight: String,
        /// A, `[r, in]`.
        a: usize,
        /// B, `[out, r]`.
        b: usize,
        /// The factor.
        scale: f32,
        /// Dropout on the input of A during training. Since ABI 1.1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dropout: Option<Dropout>,
    },
    /// Changes a bias or gain.
    Bias {
        /// Which tower.
        tower: Tower,
        /// Its name, see [`parameters`](super::BackboneFacts::parameters).
        name: String,
        /// Whether it is replaced or added to.
        mode: BiasMode,
        /// `[n]`.
        tensor: usize,
    },
}

/// Sets a share `rate` of the elements to 0 and scales the others by `1 / (1 - rate)`. The
/// seed determines the mask.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Probability of dropping an element, in [0, 1).
    pub rate: f32,
    /// Seed of the mask.
    pub seed: u64,
}

/// One of the two towers of a backbone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tower {
    /// The text tower.
    Text,
    /// The image tower.
    Image,
}

/// How an edit changes a bias or gain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BiasMode {
    /// The tensor takes the place of the backbone's.
    Replace,
    /// The tensor is added to the backbone's.
    Delta,
}

/// Images of a split to encode, with edits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageRequest {
    /// Which split.
    pub split: Split,
    /// Which images of it.
    pub rows: Vec<u32>,
    /// Which view of training images, see [`train_views`](super::TaskFacts::train_views).
    #[serde(default, skip_serializing_if = "super::service::is_first")]
    pub view: u32,
    /// Changes inside the image tower.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// Whether [`vjp`](crate::Host::vjp) will be called.
    pub tape: bool,
}

/// JSON of a reply to an encoding request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoded {
    /// Handle for [`vjp`](crate::Host::vjp) and [`release`](crate::Host::release), if a
    /// tape was requested.
    pub tape: Option<u64>,
}
