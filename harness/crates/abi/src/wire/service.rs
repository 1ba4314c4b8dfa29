//! Class and data services, always from the backbone at hand.

use serde::{Deserialize, Serialize};

use super::Tower;

/// A question to the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "service",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum Service {
    /// JSON: [`Tokenized`].
    Tokenize { texts: Vec<String> },
    /// Tensor `[n, D]`, before the positional embedding.
    TokenEmbeddings { ids: Vec<u32> },
    /// Tensor `[C, E]`: the class names in templates through the plain text tower.
    ClassFeatures {
        templates: Vec<String>,
        ensemble: Ensemble,
    },
    /// Tensor `[n, E]`: unnormalised features of the plain image tower.
    ImageFeatures {
        split: Split,
        rows: Vec<u32>,
        /// Which view of training images, see
        /// [`train_views`](super::TaskFacts::train_views).
        #[serde(default, skip_serializing_if = "is_first")]
        view: u32,
    },
    /// JSON: class of each row, as a list. Not for the test split.
    Labels { split: Split },
    /// Tensor `[n]`: a bias or gain of the plain backbone, by its canonical name.
    /// Since ABI 1.1.
    Parameter { tower: Tower, name: String },
    /// JSON: exp of the backbone's logit scale, a number.
    LogitScale {},
}

/// The first view needs no mention, so that older hosts understand the request.
pub(super) fn is_first(view: &u32) -> bool {
    *view == 0
}

/// How the features of several templates become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ensemble {
    /// Normalise each, mean, normalise: OpenAI's rule.
    NormalisedMean,
    /// Mean of the features as they are.
    RawMean,
}

/// A part of the task. Rows count from 0 within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// The few-shot draw.
    Train,
    /// The few-shot validation draw.
    Val,
    /// All test images; refused while training.
    Test,
}

impl Split {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Train, Self::Val, Self::Test]
            .into_iter()
            .find(|split| split.as_str() == text)
    }
}

/// Token ids without start and end, and the ids of those two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokenized {
    pub rows: Vec<Vec<u32>>,
    pub start_of_text: u32,
    pub end_of_text: u32,
}
