//! Why an analysis failed.

use std::path::PathBuf;

use harness_backbone::BackboneError;
use harness_data::DataError;
use harness_report::ExitCode;

use crate::registry::FactsError;

/// Why an analysis failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnalysisError {
    #[error(transparent)]
    Facts(#[from] FactsError),
    #[error("backbone {name}: {source}")]
    Backbone { name: String, source: BackboneError },
    #[error("data set {name}: {source}")]
    Dataset { name: String, source: DataError },
    /// An input file cannot be used.
    #[error("{}: {reason}", .path.display())]
    Input { path: PathBuf, reason: String },
    /// What a tower computed is no number.
    #[error(
        "backbone {name}: the feature of the {kind} {item:?} holds NaN or infinity: its weights are \
         damaged, or too large for f32"
    )]
    NotFinite {
        name: String,
        kind: &'static str,
        item: String,
    },
    /// Two text towers have different shapes.
    #[error("{source_name} and {target_name} cannot be compared: {reason}")]
    Incomparable {
        source_name: String,
        target_name: String,
        reason: String,
    },
    #[error("tensor operation failed: {0}")]
    Compute(#[from] candle_core::Error),
    #[error("cannot write {}: {reason}", .path.display())]
    Output { path: PathBuf, reason: String },
}

impl AnalysisError {
    /// Exit code of the process.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Output { .. } => ExitCode::OutputNotWritten,
            _ => ExitCode::SetUp,
        }
    }
}
