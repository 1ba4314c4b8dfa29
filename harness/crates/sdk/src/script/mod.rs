//! For plugins that run methods in another language: what such a plugin implements, and what the
//! SDK does for its methods as it does for others — initial values, order of images, learning
//! rates, module files.
//!
//! A method author needs none of this. `plugins/python` is the example.

mod declared;
mod definition;
mod raw_host;
mod training;

pub use declared::Declared;
pub use definition::{Probed, ScriptMethod, ScriptPlugin, ScriptPredictor, Trained};
pub use harness_abi::{AbiError, AbiTensor, ErrorKind, Reply};
pub use raw_host::RawHost;
pub use training::Training;

pub use crate::training::Step;
