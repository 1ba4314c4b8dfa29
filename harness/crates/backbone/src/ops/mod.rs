//! Tensor operations with exact, deterministic gradients.
//!
//! candle's composite forms either drop gradients or compute those of frozen weights as well; each
//! operation here is one node of the graph whose backward pass yields only what is tracked.

mod activation;
mod attention;
mod dropout;
mod layer_norm;
mod linear;
mod low_rank;
mod math;
mod rope;
mod view;

pub(crate) use activation::{activate, swiglu};
pub(crate) use attention::{AttentionShape, attention};
pub use dropout::Dropout;
pub(crate) use layer_norm::LayerNorm;
pub(crate) use linear::{Linear, WeightLayout};
pub(crate) use low_rank::LowRank;
pub(crate) use rope::Rope;
