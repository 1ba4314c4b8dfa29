//! Image features, computed once and kept by the content that produced them.

mod directory;
mod error;
mod features;
mod inventory;
mod key;
mod precision;
mod shard;
mod temporary;

pub use directory::FeatureStore;
pub use error::StoreError;
pub use features::{Features, SHARD_ROWS, Stored, Wanted};
pub use inventory::StoredEntry;
pub use key::FeatureKey;
pub use precision::Precision;
pub use temporary::{temporary_owner, temporary_prefix};
