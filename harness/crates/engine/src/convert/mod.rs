//! PyTorch checkpoints into safetensors, in a process of its own with limits.

mod error;
mod job;
mod process;
mod prompt_learner;
mod serve;

pub use error::ConversionError;
pub use job::{Limits, Task, Trained};
pub use process::{Written, convert};
pub use serve::serve;
