//! Why a figure cannot be drawn or written.

use std::io;

use plotters::prelude::DrawingAreaErrorKind;

/// Why a figure cannot be drawn or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    #[error("cannot be drawn: {0}")]
    Drawing(#[from] DrawingAreaErrorKind<io::Error>),
    #[error("cannot be converted to {format}: {reason}")]
    Conversion {
        format: &'static str,
        reason: String,
    },
    #[error("the numbers cannot be written: {0}")]
    Table(#[from] csv::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}
