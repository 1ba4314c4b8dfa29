//! What the process that reads checkpoints is asked to do.

use std::path::PathBuf;

use harness_checkpoint::{Converted, Inspected, Options, TrainingRecord};
use serde::{Deserialize, Serialize};

use super::error::ConversionError;

/// A checkpoint to convert.
#[derive(Clone, Debug)]
pub struct Conversion {
    pub input: PathBuf,
    /// Where the safetensors file is written.
    pub output: PathBuf,
    /// What is converted and how; its metadata are added to.
    pub options: Options,
    /// Set if the checkpoint is a method's, which becomes a module.
    pub module: Option<TrainingRecord>,
    pub limits: Limits,
}

/// Limits on the resources of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space in MiB.
    pub memory: u64,
    /// Processor time in seconds.
    pub cpu: u64,
    /// Wall-clock time in seconds.
    pub time: u64,
}

/// A job as the process reads it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    #[serde(with = "harness_store::json_path")]
    pub(super) input: PathBuf,
    pub(super) options: Options,
    pub(super) task: Task,
    pub(super) limits: Limits,
}

/// What is done with the input.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Task {
    Convert {
        /// Where the result is written, in a folder that the parent process removes.
        #[serde(with = "harness_store::json_path")]
        draft: PathBuf,
        module: Option<Box<TrainingRecord>>,
    },
    Inspect,
}

/// Its reply.
pub(super) type Answer = Result<Reply, ConversionError>;

/// What was done.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    Converted(Converted),
    Inspected(Box<Inspected>),
}
