//! Why drawing, training or measuring failed.

use std::path::{Path, PathBuf};

/// Why drawing, training or measuring failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EmbeddedError {
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
    #[error("{}:{line}: {source}", path.display())]
    Digits {
        path: PathBuf,
        line: usize,
        source: DigitError,
    },
    #[error("{0}")]
    Training(String),
}

impl EmbeddedError {
    pub(crate) fn digits(path: &Path, line: usize, source: DigitError) -> Self {
        Self::Digits {
            path: path.to_path_buf(),
            line,
            source,
        }
    }
}

/// Why a line of digits.csv cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DigitError {
    #[error("expected a number, found `{0}`")]
    NotANumber(String),
    #[error("expected 65 numbers, found {0}")]
    Length(usize),
    #[error("expected pixels from 0 to 16 and a digit from 0 to 9")]
    Range,
    #[error("expected {expected} lines, found {found}")]
    Lines { expected: usize, found: usize },
}
