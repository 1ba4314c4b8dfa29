//! Multi-head attention (Vaswani et al., arXiv 1706.03762).

use candle_core::Tensor;

use super::norm::softmax;
use crate::Result;

/// Attention of projected queries `[N, M, D]` over keys and values `[N, S, D]` with
/// `heads` heads. `mask` `[N, S]` is added to the scores: 0 for a key, a large negative
/// number for padding. Result `[N, M, D]`.
///
/// # Errors
/// Shapes that do not match, or `heads` that do not divide D.
pub fn multi_head_attention(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    heads: usize,
    mask: Option<&Tensor>,
) -> Result<Tensor> {
    let (n, m, d) = queries.dims3()?;
    let s = keys.dim(1)?;
    let split = |x: &Tensor, len: usize| -> Result<Tensor> {
        let x = x.reshape((n, len, heads, d / heads))?;
        Ok(x.transpose(1, 2)?.contiguous()?)
    };
    let scale = ((d / heads) as f64).powf(-0.5);
    let keys = split(keys, s)?.transpose(2, 3)?.contiguous()?;
    let mut scores = (split(queries, m)?.matmul(&keys)? * scale)?;
    if let Some(mask) = mask {
        scores = scores.broadcast_add(&mask.reshape((n, 1, 1, s))?)?;
    }
    let mixed = softmax(&scores)?.matmul(&split(values, s)?)?;
    Ok(mixed.transpose(1, 2)?.contiguous()?.reshape((n, m, d))?)
}
