//! Why a plot cannot be drawn.

use plotters::prelude::DrawingAreaErrorKind;

/// What the drawing library refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    #[error("cannot be drawn: {0}")]
    Drawing(#[from] DrawingAreaErrorKind<std::io::Error>),
}
