//! The text tower and the prompts it reads.

mod assemble;
mod edits;
mod load;
mod prompt;
mod tower;

pub use prompt::{PromptBatch, Segment, TextEdit, TokenRows};
pub use tower::TextTower;
