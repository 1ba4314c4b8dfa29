//! The upper bound of the expected cross entropy over a Gaussian of classifiers.

use harness_sdk::{Result, Tensor};

/// What the bound adds to the logits: s²/2 · σ `[B, C]` with
/// σ_bi = Σ_d x_bd² · Var_d(f_y − f_i), y the class of image b and the variance over P prompts.
///
/// `images` are normalised `[B, E]`, `features` `[P, C, E]`, `labels` `[B]`. The covariance of the
/// features is diagonal over E, its divisor P + 1.
pub(crate) fn margin(
    images: &Tensor,
    features: &Tensor,
    labels: &Tensor,
    scale: f64,
) -> Result<Tensor> {
    let (count, _, _) = features.dims3()?;
    let centred = features.broadcast_sub(&features.mean_keepdim(0)?)?;
    let squares = images.sqr()?;
    let mut sum: Option<Tensor> = None;
    for prompt in 0..count {
        // Σ_d x² (f_y − f_i)², expanded, so that nothing is [B, C, E].
        let all = centred.get(prompt)?;
        let own = all.index_select(labels, 0)?;
        let weighted = (&squares * &own)?;
        let of_own = (&weighted * &own)?.sum_keepdim(1)?;
        let of_all = squares.matmul(&all.sqr()?.t()?)?;
        let between = weighted.matmul(&all.t()?)?;
        let sigma = (of_all - (between * 2.0)?)?.broadcast_add(&of_own)?;
        sum = Some(match sum {
            Some(sum) => (sum + sigma)?,
            None => sigma,
        });
    }
    let sum = sum.ok_or_else(|| harness_sdk::Error::Config("no prompts".into()))?;
    Ok((sum * (0.5 * scale * scale / (count as f64 + 1.0)))?)
}

/// Mean absolute cosine similarity of different rows of normalised features `[K, E]`.
pub(crate) fn similarity(features: &Tensor) -> Result<Tensor> {
    let count = features.dim(0)?;
    let cosines = features.matmul(&features.t()?)?.abs()?;
    let eye = Tensor::eye(count, cosines.dtype(), cosines.device())?;
    let others = (eye.ones_like()? - eye)?;
    Ok(((cosines * others)?.sum_all()? / (count * (count - 1)) as f64)?)
}
