//! Data set formats, CoOp's few-shot sampling and the store of image features.
//!
//! - [`Dataset::open`] reads any supported format; one file under `format/` is one format.
//! - [`few_shot`] draws the same images as CoOp's data loader does for the same seed.
//! - [`FeatureStore`] keeps image features by the content that produced them.

mod dataset;
mod decode;
mod digest;
mod error;
mod format;
mod problems;
mod relative;
mod sampling;
mod split_json;
mod store;
mod summary;
mod validate;

pub use dataset::{Dataset, SplitData};
pub use error::DataError;
pub use format::sheet;
pub use sampling::{Mersenne, Picks, Sampler, few_shot};
pub use split_json::{SplitFile, SplitItem};
pub use store::{FeatureKey, FeatureStore, Features, StoreError};
pub use summary::{Class, Split, Summary};
