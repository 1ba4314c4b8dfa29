//! A matrix of image features, and what the store knows of it.

use std::ops::Range;

use super::FeatureKey;

/// One row of `width` numbers per image, row-major, in the order of the images.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    pub rows: usize,
    pub width: usize,
    pub data: Vec<f32>,
}

/// A matrix to look up or to keep: its key and its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureRequest {
    pub key: FeatureKey,
    pub rows: usize,
    pub width: usize,
    /// What people call it, such as `test images of digits on micro-clip`; for listings.
    pub title: String,
}

impl FeatureRequest {
    /// The rows of each shard, in order.
    pub fn shards(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let rows = self.rows;
        (0..rows)
            .step_by(SHARD_ROWS)
            .map(move |first| first..rows.min(first + SHARD_ROWS))
    }
}

/// Rows of a shard; what a killed run loses at most.
pub const SHARD_ROWS: usize = 256;

/// What is stored of a requested matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Zero where nothing is stored.
    pub features: Features,
    /// The shards that have to be computed, in order.
    pub missing: Vec<Range<usize>>,
}
