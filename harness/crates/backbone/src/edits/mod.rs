//! Changes inside a tower: tokens at the input of a block, weights and biases by name.

mod tokens;
mod weights;

pub(crate) use tokens::{Replacement, Replacements};
pub use weights::{BiasMode, WeightEdit};
