//! Finished work, kept under the hash of everything that can change it.
//!
//! ```text
//! units/<key>                 what came of a unit of work
//! modules/<key>.safetensors   the module that a training wrote
//! descriptors/<sha256>        what a plugin says of itself
//! logs/<key>.log              what the worker wrote before a unit failed
//! ```
//!
//! Other files under the root, such as image features, belong to the workers.

mod entry;
mod key;
mod root;

pub use entry::Warning;
pub use key::{Key, sha256_file, sha256_hex};
pub use root::{Store, StoreError};
