//! Why no prediction was made.

use std::path::PathBuf;

use harness_data::DataError;
use harness_report::ExitCode;

use crate::analysis::AnalysisError;
use crate::registry::{FactsError, ModuleFileError, RegistryError};
use crate::schedule::{PoolError, TaskError};

/// Why no prediction was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    #[error(transparent)]
    Module(#[from] ModuleFileError),
    #[error(transparent)]
    Facts(#[from] FactsError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Images(Box<AnalysisError>),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(
        "{}: no plugin has its method `{method}`; `harness list methods` shows those that were found", .path.display()
    )]
    NoMethod { path: PathBuf, method: String },
    /// A file of an earlier version or a converted one.
    #[error(
        "{}: does not say the names of its classes; name the data set with --dataset", .path.display()
    )]
    NoClasses { path: PathBuf },
    #[error("{unreadable} of {images} images cannot be read: {named}")]
    Unreadable {
        unreadable: usize,
        images: usize,
        named: String,
    },
    #[error("{} in {backbone}: {source}", .path.display())]
    Task {
        path: PathBuf,
        backbone: String,
        source: TaskError,
    },
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error("the worker sent an unexpected reply to a prediction")]
    Unexpected,
}

impl From<AnalysisError> for PredictError {
    fn from(error: AnalysisError) -> Self {
        Self::Images(Box::new(error))
    }
}

impl PredictError {
    /// Exit code of the process.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Task {
                source: TaskError::NotRun,
                ..
            } => ExitCode::Outstanding,
            Self::Task {
                source: TaskError::NotInjectable { .. },
                ..
            } => ExitCode::SetUp,
            Self::Task { .. } | Self::Unexpected => ExitCode::CrashedCell,
            _ => ExitCode::SetUp,
        }
    }
}
