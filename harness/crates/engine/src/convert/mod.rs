//! PyTorch checkpoints into safetensors, in a process of its own with limits.

mod error;
mod job;
mod layout;
mod process;
mod serve;

pub use error::ConversionError;
pub use harness_checkpoint::{Form, Inspected, ModuleMethod, Options, TensorFacts, TrainingRecord};
pub use job::{Conversion, Limits};
pub use layout::backbone_layout;
pub use process::{Written, convert, inspect};
pub use serve::serve;
