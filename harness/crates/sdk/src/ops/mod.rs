//! Differentiable operations that candle lacks or whose gradient it drops.
//!
//! candle's fused `softmax_last_dim`, `LayerNorm` and `rope` have no backward pass and
//! drop the gradient silently; everything here has one.

mod attention;
mod linear;
mod loss;
mod norm;

pub use attention::multi_head_attention;
pub use linear::{linear, linear_parameters, quick_gelu};
pub use loss::{cosine_distance, cross_entropy, distillation};
pub use norm::{cosine_logits, log_softmax, normalize, softmax};
