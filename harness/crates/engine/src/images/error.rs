//! Why images could not be turned into pixels or features.

use harness_data::Split;
use thiserror::Error;

#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImagesError {
    #[error(transparent)]
    Data(#[from] harness_data::DataError),
    #[error(transparent)]
    Backbone(#[from] harness_backbone::BackboneError),
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// A row or view that the set does not have.
    #[error(
        "no view {view} of row {row} in the {split} split: it has {rows} rows with {views} view(s)"
    )]
    OutOfRange {
        split: Split,
        row: usize,
        view: u32,
        rows: usize,
        views: u32,
    },
    #[error("this task has no few-shot images")]
    NoFewShotImages,
}
