//! Towers on a GPU: the same mathematics in candle's tensor operations, which run on every device.
//!
//! A tower is one differentiable operation for the rest of the program: what enters and leaves it
//! lies in the host's memory. Inside, each operation comes with its pull-back, so that candle's own
//! backward pass, which also computes the gradients of frozen weights, is not used.

mod accelerator;
mod block;
mod found;
#[cfg(feature = "cuda")]
mod fused;
mod gradients;
mod image;
mod inputs;
mod op;
#[cfg(feature = "cuda")]
mod pool;
mod precision;
mod rows;
mod text;

pub(crate) use accelerator::Accelerator;
pub use found::{DeviceKind, NoDevice};
pub(crate) use image::encode as encode_image;
pub use precision::Precision;
pub(crate) use text::encode as encode_text;
