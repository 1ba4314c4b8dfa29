//! PyTorch checkpoints into safetensors, without running anything that is in them.
//!
//! A checkpoint is a zip archive whose `data.pkl` is a program for Python's pickle machine.
//! The module `pickle` follows that program with values of its own: it knows the few names
//! that tensors are made of, calls nothing, and refuses every other name. What the methods' public
//! repositories save, and PEFT, also becomes module files.
//!
//! The crate knows pickles, safetensors and the header of module files. It must not know
//! suites, plugins or worker processes: whoever calls it sets the limits on time and memory.

mod archive;
mod checkpoint;
mod dtype;
mod error;
mod inspect;
mod modules;
mod names;
mod obstacle;
mod options;
mod pickle;
mod settings;
mod state;
mod write;

pub use checkpoint::{Converted, convert};
pub use error::ConvertError;
pub use inspect::{Form, Inspected, TensorFacts, inspect};
pub use modules::{ModuleMethod, TrainingRecord, convert_module};
pub use options::Options;
