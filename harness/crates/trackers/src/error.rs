//! What keeps a report from being written for a tracker.

use std::path::PathBuf;

/// Why runs or a card were not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackerError {
    #[error("{path}: cannot be written: {source}")]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Nothing was trained and measured.
    #[error("the report has no module that was measured")]
    NoRun,
    /// A card is of one module.
    #[error(
        "a card is of one module, found {count}: choose one with --only, as in --only {example}"
    )]
    ManyModules { count: usize, example: String },
    #[error("{text:?} is no time as RFC 3339 writes it: {source}")]
    Time {
        text: String,
        source: chrono::ParseError,
    },
}
