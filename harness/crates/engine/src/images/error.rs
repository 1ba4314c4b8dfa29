//! Why images did not become pixels or features.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum ImagesError {
    #[error(transparent)]
    Data(#[from] harness_data::DataError),
    #[error(transparent)]
    Backbone(#[from] harness_backbone::BackboneError),
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// A row or view that the set does not have.
    #[error("{0}")]
    Request(String),
}
