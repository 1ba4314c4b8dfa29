//! Unit image features of a split.

use candle_core::Tensor;
use harness_backbone::Backbone;
use harness_data::{Dataset, Split};

use crate::error::EmbeddedError;
use crate::train::unit_rows;

const BATCH: usize = 256;

/// `[n, e]` with unit rows, and the labels.
pub(super) fn features(
    backbone: &Backbone,
    dataset: &Dataset,
    split: Split,
) -> Result<(Tensor, Vec<u32>), EmbeddedError> {
    let labels = dataset.split(split).labels.clone();
    let mut parts = Vec::new();
    for first in (0..labels.len()).step_by(BATCH) {
        let pixels = (first..labels.len().min(first + BATCH))
            .map(|index| Ok(backbone.transform().apply(&dataset.image(split, index)?)?))
            .collect::<Result<Vec<_>, EmbeddedError>>()?;
        parts.push(backbone.image().encode(&Tensor::stack(&pixels, 0)?)?);
    }
    Ok((unit_rows(&Tensor::cat(&parts, 0)?)?, labels))
}

/// Share of rows whose largest entry is at the label, in percent.
pub(super) fn accuracy(logits: &Tensor, labels: &[u32]) -> Result<f64, EmbeddedError> {
    let picks = logits.argmax(1)?.to_vec1::<u32>()?;
    let right = picks
        .iter()
        .zip(labels)
        .filter(|(pick, label)| pick == label)
        .count();
    Ok(100.0 * right as f64 / labels.len() as f64)
}
