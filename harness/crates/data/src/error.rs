//! Errors of reading and writing data sets.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a data set cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system refused; the message of `fs-err` names the file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The directory has none of the known layouts.
    #[error(
        "{dir}: not a data set: expected a dataset.json, a split_zhou_*.json (CoOp), test/*.tar (WebDataset), \
         a manifest.csv or .jsonl, folders train/ and test/, or one folder per class; \
         point at the folder that contains one of them"
    )]
    UnknownFormat { dir: PathBuf },
    /// The file does not follow its format.
    #[error("{path}: {reason}")]
    Malformed { path: PathBuf, reason: String },
    /// Everything that is wrong with the content: counts by kind, and the first ten of each.
    #[error("{path}: {count} problem(s): {summary}")]
    Invalid {
        path: PathBuf,
        count: usize,
        summary: String,
    },
    /// An image cannot be decoded.
    #[error("{path}: {reason}")]
    Image { path: PathBuf, reason: String },
    /// The file is not the same as when the data set was opened.
    #[error("{path}: changed since the data set was opened; run again")]
    Changed { path: PathBuf },
    /// An index beyond the end of a split.
    #[error("no image {index} in split `{split}`, which has {len}")]
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
