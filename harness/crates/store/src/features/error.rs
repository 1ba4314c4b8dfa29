//! Failures of the feature store itself; a bad entry is recomputed and is none.

use std::io;
use std::ops::Range;

use thiserror::Error;

/// Why features could not be looked up or kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// The operating system refused; the message names the file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What was to be kept is no shard of the matrix.
    #[error(
        "rows {} to {} with {found} numbers are no shard of a matrix of {rows}x{width}",
        .range.start, .range.end
    )]
    Shape {
        range: Range<usize>,
        rows: usize,
        width: usize,
        found: usize,
    },
    /// The shard could not be put into safetensors form.
    #[error("features cannot be serialised: {0}")]
    Encode(#[from] safetensors::SafeTensorError),
}
