//! Queries from the plugin to the host: services, and the towers as differentiable
//! operations. Knows the ABI and candle, no method, prompt or training.

mod encode;
mod random;
mod services;
mod tensor;

pub(crate) use encode::{encode_image, encode_text};
pub use random::Random;
pub use services::Host;
pub(crate) use tensor::{from_abi, to_abi};
