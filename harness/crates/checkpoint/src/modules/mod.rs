//! Checkpoints of the methods' public repositories as module files.

mod bottleneck;
mod cache;
mod context;
mod convert;
mod deep;
mod lora;
mod maple;
mod method;
mod module;
mod peft;
mod record;
mod weights;

pub use convert::convert_module;
pub use method::ModuleMethod;
pub use record::TrainingRecord;
pub(crate) use weights::{ROOT, is_safetensors};
