//! Analyses of backbones without a suite: whether they compute what
//! another framework computes, their features, and how far two of them lie apart.

mod drift;
mod embed;
mod error;
pub(crate) mod images;
mod inputs;
#[cfg(feature = "reference")]
mod reference;
mod subject;
mod vectors;
mod verify;

pub use drift::drift;
pub use embed::{EmbedInputs, Embedded, embed};
pub use error::AnalysisError;
#[cfg(feature = "reference")]
pub use reference::verify_reference;
pub use verify::{Comparison, Verification, verify};
