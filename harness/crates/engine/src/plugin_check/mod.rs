//! Conformance of a plugin's library: what every method must satisfy, on real backbones, in
//! every simple variant of its configuration. Knows workers and the registry, no suite.

mod driver;
mod error;
mod variants;

pub use driver::{Checked, Inputs, Outcome, check};
pub use error::PluginCheckError;
pub use variants::variants;
