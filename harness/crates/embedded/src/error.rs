//! Why the recipe stopped.

use std::path::{Path, PathBuf};

/// Failures of drawing, training and measuring.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Data(#[from] harness_data::DataError),
    #[error(transparent)]
    Backbone(#[from] harness_backbone::BackboneError),
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("tokenizer: {0}")]
    Tokenizer(#[from] tokenizers::Error),
    #[error("{}, line {line}: {reason}", path.display())]
    Digits {
        path: PathBuf,
        line: usize,
        reason: String,
    },
    #[error("{0}")]
    Training(String),
}

impl PackError {
    pub(crate) fn digits(path: &Path, line: usize, reason: String) -> Self {
        Self::Digits {
            path: path.to_path_buf(),
            line,
            reason,
        }
    }
}
