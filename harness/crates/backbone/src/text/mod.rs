//! The text tower and the prompts it reads.

mod assemble;
mod edits;
mod engine;
mod load;
mod parameters;
mod prompt;
mod tower;
mod trace;
mod work;

pub(crate) use engine::{Sequences, Source};
pub use parameters::TextParameter;
pub use prompt::{PromptBatch, Segment, TextEdit, TokenRows};
pub use tower::{ACTIVATION_LIMIT, TextTower};
pub use work::{TextPath, TextWork};
