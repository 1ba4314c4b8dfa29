//! The operations of [`super::op`] as single CUDA kernels.
//!
//! A step of prompt learning was bound by the number of kernels that candle's operations start, about
//! 1,700 for 100 classes at B/16; these bodies take a quarter of them. The tests that compare the
//! portable bodies with the CPU compare these where a GPU is present.

mod attention;
mod launch;
mod rows;

pub(super) use attention::{join, merge, part, split};
pub(super) use launch::is_fused;
pub(super) use rows::{
    activate, activate_pull, add_bias, add_bias_and_rest, gated, gated_pull, norm, norm_pull,
    softmax, softmax_pull,
};
