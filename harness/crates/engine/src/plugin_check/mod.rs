//! What the author of a plugin asks of its library, without a suite: conformance in every simple
//! variant of its configuration, one trial, a comparison with another implementation. Knows
//! workers and the registry.

mod comparison_file;
mod driver;
mod error;
mod inputs;
mod single;
mod trial;
mod variants;

pub use comparison_file::{AboutComparison, ComparisonFile, ComparisonFileError};
pub use driver::{Checked, Outcome, check};
pub use error::PluginCheckError;
pub use inputs::Inputs;
pub use single::Reply;
pub use trial::{Subject, attempt, compare};
pub use variants::variants;
