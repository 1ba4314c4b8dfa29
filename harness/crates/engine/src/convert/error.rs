//! Why a checkpoint could not be converted.

use std::path::PathBuf;

use harness_report::ExitCode;
use serde::{Deserialize, Serialize};

/// Why a checkpoint could not be converted. The output is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum ConversionError {
    /// A message that names the checkpoint and the position in it.
    #[error("{0}")]
    Input(String),
    #[error("cannot write {}: {reason}", .path.display())]
    Output {
        #[serde(with = "harness_store::json_path")]
        path: PathBuf,
        reason: String,
    },
    #[error("{}: conversion stopped: {reason}", .path.display())]
    Ended {
        #[serde(with = "harness_store::json_path")]
        path: PathBuf,
        reason: String,
    },
    #[error("cannot start the converting process: {0}")]
    Start(String),
}

impl ConversionError {
    /// Exit code of the process.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Output { .. } => ExitCode::OutputNotWritten,
            _ => ExitCode::SetUp,
        }
    }
}
