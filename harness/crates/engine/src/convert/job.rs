//! What the converting process is asked to do.

use std::path::PathBuf;

use harness_checkpoint::{Converted, Options, TrainingRecord};
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
    /// Set if the checkpoint is a prompt learner of CoOp, which becomes a module.
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

/// A conversion as the process reads it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) input: PathBuf,
    /// Where the result is written, in a folder that the parent process removes.
    pub(super) draft: PathBuf,
    pub(super) options: Options,
    pub(super) module: Option<TrainingRecord>,
    pub(super) limits: Limits,
}

/// Its reply.
pub(super) type Answer = Result<Converted, ConversionError>;
