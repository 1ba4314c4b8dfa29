//! PyTorch checkpoints into safetensors, in a process of its own with limits.

mod error;
mod job;
mod process;
mod serve;

pub use error::ConversionError;
pub use harness_checkpoint::{Options, TrainingRecord};
pub use job::{Conversion, Limits};
pub use process::{Written, convert};
pub use serve::serve;
