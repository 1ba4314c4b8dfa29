//! Image features, computed once and kept by the content that produced them.

mod directory;
mod entry;
mod error;
mod features;
mod key;

pub use directory::FeatureStore;
pub use error::StoreError;
pub use features::Features;
pub use key::FeatureKey;
