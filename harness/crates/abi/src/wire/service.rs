//! Class and data services, always of the current backbone.

use serde::{Deserialize, Serialize};

use super::Tower;

/// A query to the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "service",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum Service {
    /// JSON: [`Tokenized`].
    Tokenize {
        /// The texts, without start and end tokens.
        texts: Vec<String>,
    },
    /// Tensor `[n, D]`: token embeddings without positions.
    TokenEmbeddings {
        /// The n token ids.
        ids: Vec<u32>,
    },
    /// Tensor `[C, E]`: text features of the class names from the unchanged text tower.
    ClassFeatures {
        /// Templates with one `{}` each.
        templates: Vec<String>,
        /// How the features of several templates are combined.
        ensemble: Ensemble,
    },
    /// Tensor `[n, E]`: unnormalised features from the unchanged image tower.
    ImageFeatures {
        /// Which split.
        split: Split,
        /// Which images of it.
        rows: Vec<u32>,
        /// Which view of training images, see
        /// [`train_views`](super::TaskFacts::train_views).
        #[serde(default, skip_serializing_if = "is_first")]
        view: u32,
    },
    /// Tensor `[n, width]` or `[n, patches, E]`: what the unchanged image tower computes before
    /// its features. Since ABI 1.2.
    ImageActivations {
        /// Which split.
        split: Split,
        /// Which images of it.
        rows: Vec<u32>,
        /// Which view of training images.
        #[serde(default, skip_serializing_if = "is_first")]
        view: u32,
        /// Where in the tower.
        stage: ImageStage,
    },
    /// JSON: list of class indices, one per image. Refused for the test split.
    Labels {
        /// Which split.
        split: Split,
    },
    /// Tensor `[n]`: a bias or gain of the unchanged backbone. Since ABI 1.1. Tensor
    /// `[out, in]`: a weight, also of the image tower's projection, `head.weight`
    /// `[E, width]`. Since ABI 1.2.
    Parameter {
        /// Which tower.
        tower: Tower,
        /// Its name, see [`parameters`](super::BackboneFacts::parameters).
        name: String,
    },
    /// JSON: a number, exp of the backbone's logit scale.
    LogitScale {},
}

/// View 0 is left out of the JSON, so that older hosts accept the request.
pub(super) fn is_first(view: &u32) -> bool {
    *view == 0
}

/// A place in the image tower, see [`Service::ImageActivations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageStage {
    /// `[n, width]`: the normalised class token, which the projection maps to the feature.
    BeforeProjection,
    /// `[n, patches, E]`: the patch tokens of the last block, normalised and projected like the
    /// class token.
    PatchFeatures,
}

/// How the features of several templates are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ensemble {
    /// Normalise each, average, normalise again, as OpenAI's CLIP does.
    NormalisedMean,
    /// Average without normalising.
    RawMean,
}

/// A part of the data set. Rows count from 0 within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// The few-shot training images.
    Train,
    /// The few-shot validation images.
    Val,
    /// All test images; refused during training.
    Test,
}

impl Split {
    /// `train`, `val` or `test`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }

    /// The inverse of [`as_str`](Self::as_str).
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Train, Self::Val, Self::Test]
            .into_iter()
            .find(|split| split.as_str() == text)
    }
}

/// Tokenised texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokenized {
    /// Token ids of each text, without start and end tokens.
    pub rows: Vec<Vec<u32>>,
    /// Id of the start token.
    pub start_of_text: u32,
    /// Id of the end token.
    pub end_of_text: u32,
}
