//! Why a checkpoint was not converted.

use std::path::PathBuf;

use harness_report::ExitCode;
use serde::{Deserialize, Serialize};

/// Why a checkpoint was not converted. What lay at the output is as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ConversionError {
    /// A message that names the checkpoint and the place in it.
    #[error("{0}")]
    Input(String),
    #[error("{}: cannot be written: {reason}", .path.display())]
    Output { path: PathBuf, reason: String },
    #[error("{}: its conversion was ended: {reason}", .path.display())]
    Ended { path: PathBuf, reason: String },
    #[error("the process that converts cannot be started: {0}")]
    Start(String),
}

impl ConversionError {
    /// What the process ends with.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Output { .. } => ExitCode::OutputNotWritten,
            _ => ExitCode::SetUp,
        }
    }
}
