//! Image features, computed once and kept by the content that produced them.

mod directory;
mod error;
mod inventory;
mod key;
mod matrix;
mod precision;
mod shard;

pub use directory::FeatureStore;
pub use error::{FeatureError, ShardError};
pub use inventory::StoredFeatures;
pub use key::FeatureKey;
pub use matrix::{FeatureRequest, Features, SHARD_ROWS, Stored};
pub use precision::Precision;
