//! Why a run did not happen.

use std::path::PathBuf;

use harness_report::ExitCode;
use harness_report::selection::UnmatchedError;

use super::placement_error::PlacementError;
use super::shots::TooManyShots;
use crate::device::DeviceError;
use crate::distribute::DistributionError;
use crate::lock::LockError;
use crate::registry::{Absent, FactsError, LibraryError, ModuleFileError, RegistryError};
use crate::schedule::PoolError;
use crate::side_files::SideFileError;
use crate::suite::SuiteError;
use harness_store::StoreError;

/// Why a run did not happen, or could not keep its results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    #[error(transparent)]
    Suite(#[from] SuiteError),
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error(transparent)]
    Facts(#[from] FactsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Pool(PoolError),
    /// A worker had no room to write.
    #[error("{task}: {message}; what is done so far is kept, run again to continue")]
    Unwritten { task: String, message: String },
    #[error("{} of the suite's inputs are not on this machine; nothing was run", .absent.len())]
    Absent { suite: PathBuf, absent: Vec<Absent> },
    #[error(transparent)]
    Module(#[from] ModuleFileError),
    #[error(transparent)]
    SideFile(#[from] SideFileError),
    #[error(transparent)]
    Placement(#[from] PlacementError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Distribution(#[from] DistributionError),
    #[error("no plugin has the method {id} (row {label} of the suite)")]
    Method { label: String, id: String },
    #[error(
        "no plugin has the method {id}{}",
        .meant.as_ref().map_or_else(String::new, |meant| format!("; did you mean {meant}?"))
    )]
    NoSuchMethod { id: String, meant: Option<String> },
    #[error("cannot read this executable: {0}")]
    Executable(std::io::Error),
    #[error("{}: {unmatched}", .suite.display())]
    Unmatched {
        suite: PathBuf,
        unmatched: UnmatchedError,
    },
    #[error(
        "backbone {name}: {reason}, so prompts cannot be tokenized; copy the model's tokenizer.json to {}",
        .path.display()
    )]
    NoTokenizer {
        name: String,
        path: PathBuf,
        reason: String,
    },
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Shots(#[from] TooManyShots),
    #[error("interrupted before anything ran")]
    Interrupted,
}

impl RunError {
    /// The exit code of the process.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Store(_)
            | Self::Unwritten { .. }
            | Self::Lock(LockError::Unwritten { .. })
            | Self::Distribution(DistributionError::File { .. }) => ExitCode::OutputNotWritten,
            Self::Unmatched { .. } => ExitCode::NothingSelected,
            Self::Interrupted => ExitCode::Outstanding,
            _ => ExitCode::SetUp,
        }
    }
}

impl From<PoolError> for RunError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Store(error) => Self::Store(error),
            PoolError::Unwritten { task, message } => Self::Unwritten { task, message },
            other => Self::Pool(other),
        }
    }
}

impl From<RegistryError> for RunError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Library(error) => Self::Library(error),
            RegistryError::Pool(error) => error.into(),
            RegistryError::Lock(error) => Self::Lock(error),
        }
    }
}
