//! What the author of a plugin asks of a worker, without a suite: checks, a trial, a comparison.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use harness_abi::wire::Site;

use crate::job::{BackboneRef, DatasetRef, Draw, MethodRef};

/// What is checked of a method, each in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MethodCheck {
    /// An unknown key of the configuration is refused by name.
    Configuration,
    /// The card's names of carried tensors are those of the module, by default.
    Card,
    /// A training ends, with gradients that agree with finite differences of the loss, all tapes
    /// released, and edits at the sites of the card.
    Training,
    /// The same seed gives the same bytes.
    Determinism,
    /// A module in the backbone that it was trained on gives the same bits each time, and
    /// comes back unchanged.
    SelfInjection,
    /// A module in another backbone gives finite logits, or is not injectable with a reason.
    Target,
    /// Empty, truncated and non-finite modules are refused.
    DamagedModules,
    /// Images that do not exist are refused.
    Rows,
}

impl MethodCheck {
    /// Every check, in the order in which they are done.
    pub const ALL: [Self; 8] = [
        Self::Configuration,
        Self::Card,
        Self::Training,
        Self::Determinism,
        Self::SelfInjection,
        Self::Target,
        Self::DamagedModules,
        Self::Rows,
    ];

    /// Whether it cannot be done where [`Training`](Self::Training) fails.
    pub fn needs_training(self) -> bool {
        !matches!(self, Self::Configuration | Self::Card | Self::Training)
    }
}

/// A check of a method on backbones and data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckWork {
    pub check: MethodCheck,
    pub method: MethodRef,
    /// Names of carried tensors, from the method's card.
    pub carried: Vec<String>,
    /// Where the card says that the method acts, with the default configuration; none with another.
    pub sites: Option<Vec<Site>>,
    pub source: BackboneRef,
    pub target: BackboneRef,
    pub dataset: DatasetRef,
}

/// One training and what becomes of its module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialWork {
    pub method: MethodRef,
    pub source: BackboneRef,
    pub target: BackboneRef,
    pub dataset: DatasetRef,
    pub draw: Draw,
}

/// A module on the target of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moved {
    /// Fraction of the test images.
    Accuracy(f64),
    NotInjectable(String),
}

/// What a trial measured. Accuracies are fractions of the test images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub test_images: u64,
    pub zero_source: f64,
    pub base: f64,
    pub zero_target: f64,
    pub new: Moved,
    /// Trained numbers.
    pub parameters: u64,
    pub steps: u64,
    /// Wall-clock seconds of the training, the comparison of gradients included.
    pub train_seconds: f64,
    /// Mean loss of each stretch of the steps.
    pub losses: Vec<f32>,
    /// Whether the gradients of the first step were compared with finite differences.
    pub checked_gradients: bool,
}

/// What is done with the file of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComparisonStep {
    /// Write the inputs that the other implementation starts from.
    WriteInputs {
        #[serde(with = "harness_store::json_path")]
        path: PathBuf,
    },
    /// Compare with what the other implementation computed from them.
    Compare {
        #[serde(with = "harness_store::json_path")]
        path: PathBuf,
        /// Largest difference, as a fraction of the largest magnitude of each tensor.
        tolerance: f32,
    },
}

/// A comparison with another implementation of a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonWork {
    pub method: MethodRef,
    pub backbone: BackboneRef,
    pub dataset: DatasetRef,
    pub draw: Draw,
    /// Images of the batch.
    pub batch: usize,
    pub step: ComparisonStep,
}

/// How far a tensor is from the expected one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Its name in the file.
    pub name: String,
    pub shape: Vec<usize>,
    /// Where the difference is largest, with both values there.
    pub at: Vec<usize>,
    pub expected: f32,
    pub found: f32,
    /// Largest magnitude of the expected tensor.
    pub scale: f32,
    pub agrees: bool,
}
