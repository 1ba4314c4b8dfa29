//! Files that are kept: results by content key, image features, and whole files put in place
//! in one step.
//!
//! ```text
//! units/<key>                 result of a unit of work
//! modules/<key>.safetensors   module that a training wrote
//! descriptors/<sha256>        what a plugin says of itself
//! logs/<key>.log              output of a worker whose unit failed
//! features/<key>/<row>        shards of image features
//! digests/<key>               digests of a data set's image files
//! ```
//!
//! It knows bytes, hashes and files. It must not know suites, data sets, backbones or
//! plugins: what a unit's result is made of is its caller's type.

mod atomic;
mod digest;
mod entry;
mod features;
mod file_digests;
mod file_state;
mod inventory;
pub mod json_path;
mod key;
mod log;
mod regular;
mod root;
mod temporary;

pub use atomic::{
    collect_drafts, draft_folder, install_file, replace_file, replace_link, write_atomically,
};
pub use digest::{FieldDigest, Sha256, hex, sha256_file, sha256_hex, sha256_reader};
pub use entry::Warning;
pub use features::{
    FeatureError, FeatureKey, FeatureRequest, FeatureStore, Features, Precision, SHARD_ROWS,
    ShardError, Stored, StoredFeatures,
};
pub use file_digests::{FileDigests, Stamp};
pub use file_state::FileState;
pub use inventory::{FileKind, StoredFile};
pub use key::Key;
pub use root::{Store, StoreError};
