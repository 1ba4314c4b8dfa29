//! PyTorch checkpoints into safetensors, without running anything that is in them.
//!
//! A checkpoint is a zip archive whose `data.pkl` is a program for Python's pickle
//! machine. [`pickle`] follows that program with values of its own: it knows the few
//! names that tensors are made of, calls nothing, and refuses every other name.

mod archive;
mod checkpoint;
mod dtype;
mod error;
mod pickle;
mod state;
mod write;

pub use checkpoint::{Converted, Options, convert};
pub use error::ConvertError;
