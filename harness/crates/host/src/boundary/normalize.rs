//! Rows of unit length.

use candle_core::{D, Tensor};

/// Divides each row of `[…, E]` by its Euclidean norm.
pub(super) fn normalize(x: &Tensor) -> candle_core::Result<Tensor> {
    x.broadcast_div(&x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?)
}
