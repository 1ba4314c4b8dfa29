//! The two losses, of differentiable candle operations only.

use candle_core::{D, Tensor};

use crate::world::{Attribute, Labels};

/// `[.., n] -> [.., n]`, log of the softmax over the last dimension.
fn log_softmax(logits: &Tensor) -> candle_core::Result<Tensor> {
    let top = logits.max_keepdim(D::Minus1)?.detach();
    let shifted = logits.broadcast_sub(&top)?;
    let sum = shifted.exp()?.sum_keepdim(D::Minus1)?;
    shifted.broadcast_sub(&sum.log()?)
}

/// `[n, e]` to unit rows.
pub(crate) fn unit_rows(features: &Tensor) -> candle_core::Result<Tensor> {
    let norm = features.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    features.broadcast_div(&norm)
}

/// Mean cross entropy of `[n, classes]` logits.
pub(crate) fn cross_entropy(logits: &Tensor, labels: &[u32]) -> candle_core::Result<Tensor> {
    let (n, classes) = logits.dims2()?;
    let mut target = vec![0f32; n * classes];
    for (row, label) in target.chunks_mut(classes).zip(labels) {
        if let Some(cell) = row.get_mut(*label as usize) {
            *cell = 1.0;
        }
    }
    let target = Tensor::from_vec(target, (n, classes), logits.device())?;
    log_softmax(logits)?
        .mul(&target)?
        .sum_all()?
        .affine(-1.0 / n as f64, 0.0)
}

/// CLIP's symmetric contrastive loss (Radford et al., arXiv 2103.00020, figure 3).
///
/// `images`, `texts` are `[n, e]`, pair by pair; `scale` is a scalar, the factor on cosines.
pub(crate) fn contrastive(
    images: &Tensor,
    texts: &Tensor,
    scale: &Tensor,
) -> candle_core::Result<Tensor> {
    let cosines = unit_rows(images)?.matmul(&unit_rows(texts)?.t()?)?;
    let logits = cosines.broadcast_mul(scale)?;
    let n = logits.dim(0)?;
    let diagonal = Tensor::eye(n, logits.dtype(), logits.device())?;
    let one_way = |logits: &Tensor| log_softmax(logits)?.mul(&diagonal)?.sum_all();
    let both = (one_way(&logits)? + one_way(&logits.t()?.contiguous()?)?)?;
    both.affine(-0.5 / n as f64, 0.0)
}

/// Mean over attributes of the cross entropy over the pictures that show the attribute.
///
/// `logits` is `[n, sum of values]`, the heads side by side in the order of [`Attribute::ALL`].
pub(crate) fn attributes(logits: &Tensor, labels: &[Labels]) -> candle_core::Result<Tensor> {
    let mut start = 0;
    let mut total = Tensor::zeros((), logits.dtype(), logits.device())?;
    for attribute in Attribute::ALL {
        let values = attribute.values();
        let mut target = vec![0f32; labels.len() * values];
        let mut shown = 0;
        for (row, labels) in labels.iter().enumerate() {
            if let Some(value) = labels.get(attribute) {
                target[row * values + value] = 1.0;
                shown += 1;
            }
        }
        let head = logits.narrow(1, start, values)?.contiguous()?;
        start += values;
        if shown > 0 {
            let target = Tensor::from_vec(target, (labels.len(), values), logits.device())?;
            let sum = log_softmax(&head)?.mul(&target)?.sum_all()?;
            total = (total - sum.affine(1.0 / f64::from(shown), 0.0)?)?;
        }
    }
    total.affine(1.0 / Attribute::ALL.len() as f64, 0.0)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn scalar(tensor: &Tensor) -> f32 {
        tensor.to_scalar().expect("a scalar")
    }

    /// Features at 0 and 90 degrees against texts at 0 and 60: cosines [[1, .5], [0, .866]].
    #[test]
    fn golden_contrastive_loss_of_two_pairs() {
        let device = Device::Cpu;
        let images = Tensor::new(&[[2.0f32, 0.0], [0.0, 5.0]], &device).expect("tensor");
        let texts = Tensor::new(&[[1.0f32, 0.0], [0.5, 0.866_025_4]], &device).expect("tensor");
        let scale = Tensor::new(2.0f32, &device).expect("tensor");
        let soft = |right: f32, wrong: f32| (1.0 + (2.0 * (wrong - right)).exp()).ln();
        let by_image = (soft(1.0, 0.5) + soft(0.866_025_4, 0.0)) / 2.0;
        let by_text = (soft(1.0, 0.0) + soft(0.866_025_4, 0.5)) / 2.0;
        let found = scalar(&contrastive(&images, &texts, &scale).expect("loss"));
        assert!((found - (by_image + by_text) / 2.0).abs() < 1e-5, "{found}");
    }

    #[test]
    fn golden_attribute_loss_counts_only_what_is_shown() {
        let device = Device::Cpu;
        let width: usize = Attribute::ALL.iter().map(|a| a.values()).sum();
        let mut labels = [Labels::default(); 2];
        labels[0].set(Attribute::Shape, 3);
        labels[1].set(Attribute::Size, 0);
        let logits = Tensor::zeros((2, width), candle_core::DType::F32, &device).expect("zeros");
        // Even odds: log 12 for one shape, log 3 for one size, over nine attributes.
        let golden = (12f32.ln() + 3f32.ln()) / 9.0;
        let found = scalar(&attributes(&logits, &labels).expect("loss"));
        assert!((found - golden).abs() < 1e-5, "{found}");
    }
}
