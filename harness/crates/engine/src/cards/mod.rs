//! What is known of methods before training: their cards, and what they
//! would train in a backbone of given dimensions.

mod count;
mod dims;

pub use count::{CardError, Count, DeclarationError, counts};
pub use dims::dims;
pub use harness_abi::wire::{MethodCard, PluginInfo, Recipe};
