//! Dimensions of a backbone by its name.

use harness_backbone::{Dims, published};

use crate::registry::{FactsError, PresentBackbone, SearchPath};

/// The dimensions of a published backbone, or of one that is found by its name.
///
/// # Errors
/// The name is not found, or names something that is no backbone.
pub fn dims(search_path: &SearchPath, name: &str) -> Result<Dims, FactsError> {
    match published(name) {
        Some(dims) => Ok(dims),
        None => Ok(PresentBackbone::read(search_path, name)?.architecture.dims),
    }
}
