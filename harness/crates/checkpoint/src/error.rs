//! Why a checkpoint could not be converted.

use std::path::PathBuf;

/// Why a checkpoint could not be converted. Nothing is written in any of these cases.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    #[error("{}: {reason}", .path.display())]
    Archive { path: PathBuf, reason: String },
    #[error("{}: byte {at} of its data.pkl: {reason}", .path.display())]
    Pickle {
        path: PathBuf,
        at: usize,
        reason: String,
    },
    #[error("{}: {entry}: {reason}", .path.display())]
    Entry {
        path: PathBuf,
        entry: String,
        reason: String,
    },
    #[error("{}: not a prompt learner of CoOp: {reason}", .path.display())]
    PromptLearner { path: PathBuf, reason: String },
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
