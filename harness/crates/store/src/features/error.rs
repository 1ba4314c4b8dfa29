//! Failures of the feature store itself, and what is wrong with a shard that is recomputed.

use std::io;
use std::ops::Range;

use thiserror::Error;

use super::Precision;

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
    /// A number that half precision does not have.
    #[error(
        "a feature is {0}, beyond the largest number of half precision, 65504; the likely cause is \
         `precision: f16`, use `precision: f32`"
    )]
    Overflow(f32),
    /// The shard could not be put into safetensors form.
    #[error("features cannot be serialised: {0}")]
    Encode(#[from] safetensors::SafeTensorError),
}

/// Why a shard is not used. It counts as absent and is computed again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShardError {
    /// It is no regular file, or cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// The file is cut short or was written by something else.
    #[error("not a whole shard: {0}")]
    Torn(#[from] safetensors::SafeTensorError),
    /// The file has no header of ours.
    #[error("no header: written by something else")]
    NoHeader,
    /// The header has no such field.
    #[error("the header lacks {0}")]
    Lacks(String),
    /// A field of the header has another value than the request or the content says.
    #[error("{field} is `{found}`, expected `{expected}`")]
    Field {
        field: String,
        found: String,
        expected: String,
    },
    /// The tensor is not a matrix.
    #[error("the tensor has shape {0:?}, expected a matrix")]
    Shape(Vec<usize>),
    /// The tensor has another number format than the header says.
    #[error("the tensor is {found:?}, expected {expected}")]
    Precision {
        found: safetensors::Dtype,
        expected: Precision,
    },
    /// The matrix has another size than was requested.
    #[error("it has {}x{} numbers, expected {}x{}", .found.0, .found.1, .expected.0, .expected.1)]
    Size {
        found: (usize, usize),
        expected: (usize, usize),
    },
    /// It is in the folder of another entry.
    #[error("it belongs to another entry")]
    OtherEntry,
    /// It has the name of another shard of its entry.
    #[error("it has the name of another shard")]
    OtherShard,
}
