//! Finished work, kept under the hash of everything that can change it.
//!
//! ```text
//! units/<key>                 what came of a unit of work
//! modules/<key>.safetensors   the module that a training wrote
//! descriptors/<sha256>        what a plugin says of itself
//! logs/<key>.log              what the worker wrote before a unit failed
//! features/<key>/<row>        image features, the workers' business: see `harness_data`
//! ```

mod entry;
mod inventory;
mod key;
mod root;

pub use entry::Warning;
pub use inventory::{Kind, State, StoredFile};
pub use key::{Key, sha256_file, sha256_hex};
pub use root::{Store, StoreError};
