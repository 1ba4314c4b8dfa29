//! Data set formats, CoOp's few-shot sampling and the store of image features.
//!
//! - [`Dataset::open`] reads any supported format; one file under `format/` is one format.
//! - [`Known`] is the list of data sets that go by a name.
//! - [`Annotations`] and [`few_shot`] draw the same images as CoOp's data loader does for the
//!   same seed, images unseen; [`Check`] says all that is wrong.
//! - [`FeatureStore`] keeps image features by the content that produced them.

mod annotations;
mod check;
mod content;
mod dataset;
mod decode;
mod digest;
mod digest_cache;
mod division;
mod error;
mod format;
mod known;
mod listing;
mod opening;
mod problems;
mod prompts;
mod relative;
mod sampling;
mod store;
mod summary;
mod text;
mod validate;

pub use annotations::Annotations;
pub use check::Check;
pub use dataset::{Dataset, SplitData};
pub use decode::read_image;
pub use error::DataError;
pub use format::{SplitFile, SplitItem, sheet};
pub use known::{Known, Layout, Located, Sizes};
pub use opening::{Division, Opening};
pub use problems::Kind;
pub use prompts::Templates;
pub use sampling::{Mersenne, Picks, Sampler, few_shot};
pub use store::{
    FeatureKey, FeatureStore, Features, Precision, SHARD_ROWS, StoreError, Stored, StoredEntry,
    Wanted, temporary_owner, temporary_prefix,
};
pub use summary::{Class, Split, Summary};
