//! What is asked of the process that converts.

use std::path::PathBuf;

use harness_checkpoint::{Converted, Options};
use serde::{Deserialize, Serialize};

use super::error::ConversionError;

/// A checkpoint to convert.
#[derive(Clone, Debug)]
pub struct Task {
    pub input: PathBuf,
    /// Where the safetensors file goes.
    pub output: PathBuf,
    /// Entry of the checkpoint that holds the state dict, where it has no usual name.
    pub key: Option<String>,
    /// Entries that are not written; each must be there.
    pub leave_out: Vec<String>,
    /// Whether half-precision numbers become single ones.
    pub widen: bool,
    /// Set where the checkpoint is a prompt learner of CoOp, which becomes a module.
    pub module: Option<Trained>,
    pub limits: Limits,
}

/// How a prompt learner was trained, which its checkpoint does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trained {
    /// Backbone it was trained on.
    pub source: String,
    pub dataset: String,
    /// Class ids in the order of training; needed where the context is per class.
    pub classes: Vec<String>,
    pub seed: u64,
    /// Words that the context began with; `None` for random numbers.
    pub init: Option<String>,
}

/// What a conversion may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space in MiB.
    pub memory: u64,
    /// Processor time in seconds.
    pub cpu: u64,
    /// Wall-clock time in seconds.
    pub time: u64,
}

/// A task as the process reads it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) input: PathBuf,
    /// Where the result goes, in a folder that the asking process removes.
    pub(super) draft: PathBuf,
    pub(super) options: Options,
    pub(super) module: Option<Trained>,
    pub(super) limits: Limits,
}

/// What it answers.
pub(super) type Answer = Result<Converted, ConversionError>;
