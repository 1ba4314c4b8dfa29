//! Why a checkpoint was not converted.

use std::path::PathBuf;

/// Why a checkpoint was not converted. Nothing is written in any of these cases.
#[derive(Debug, thiserror::Error)]
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
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
