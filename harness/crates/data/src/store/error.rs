//! What can go wrong with the feature store itself; a bad entry is not among it.

use std::io;

use thiserror::Error;

/// Why features could not be looked up or kept.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The operating system refused; the message names the file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The matrix does not have the shape it states.
    #[error("features of {rows} rows of {width} need {rows}x{width} numbers, found {found}")]
    Shape {
        rows: usize,
        width: usize,
        found: usize,
    },
    /// The entry could not be put into safetensors form.
    #[error("features cannot be serialised: {0}")]
    Encode(#[from] safetensors::SafeTensorError),
}
