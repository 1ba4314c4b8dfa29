//! Prompts and edits: what a method changes in the towers, and the encoding of text and
//! images with it. Knows host, parameters and batches, no particular method.

mod builder;
mod class_prompts;
mod context;
pub mod deep;
mod edits;
mod images;
mod tower_prompts;

pub use builder::Prompts;
pub use class_prompts::ClassPrompts;
pub use context::{ClassTokenPosition, Context};
pub use edits::Edits;
pub use tower_prompts::{TowerPrompts, TowerPromptsShape};
