//! What can be wrong with a data set.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a data set cannot be read or written.
#[derive(Debug, Error)]
pub enum DataError {
    /// The operating system refused; the message of `fs-err` names the file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The directory has none of the known layouts.
    #[error(
        "{dir}: not a data set: found neither a dataset.json, a split_zhou_*.json (CoOp), test/*.tar (WebDataset), \
         a manifest.csv or .jsonl, nor the folders train/ and test/ or one folder for each class; \
         point at the folder that holds one of them"
    )]
    UnknownFormat { dir: PathBuf },
    /// The file is not the JSON that its format prescribes.
    #[error("{path}: {reason}")]
    Malformed { path: PathBuf, reason: String },
    /// Everything that is wrong with the content, counted by kind, the first ten of each named.
    #[error("{path}: {count} problem(s): {summary}")]
    Invalid {
        path: PathBuf,
        count: usize,
        summary: String,
    },
    /// An image cannot be decoded.
    #[error("{path}: {reason}")]
    Image { path: PathBuf, reason: String },
    /// The file is not the one that was there when the data set was opened.
    #[error("{path}: changed since the data set was opened; start again")]
    Changed { path: PathBuf },
    /// An index beyond the end of a split.
    #[error("image {index} of split `{split}` was asked for, but it has {len}")]
    OutOfRange {
        split: &'static str,
        index: usize,
        len: usize,
    },
}

impl DataError {
    pub(crate) fn malformed(path: &Path, reason: impl ToString) -> Self {
        DataError::Malformed {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn image(path: &Path, reason: impl ToString) -> Self {
        DataError::Image {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}
