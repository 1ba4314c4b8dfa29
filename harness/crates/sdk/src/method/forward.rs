//! One forward pass.

use candle_core::Tensor;

use super::{Batch, Method};
use crate::{Host, Parameters, Result};

/// The result of a forward pass.
#[derive(Clone, Debug)]
pub struct Forward {
    /// `[C, E]` from [`Method::classifier`], if implemented.
    pub classifier: Option<Tensor>,
    /// `[B, C]`.
    pub logits: Tensor,
}

/// The batch with its features from [`Method::images`], if implemented.
pub(crate) fn encode_batch<M: Method>(
    method: &M,
    host: &Host,
    parameters: &Parameters,
    batch: Batch,
) -> Result<Batch> {
    let images = method.images(host, parameters, &batch)?;
    Ok(batch.with_images(images))
}

/// A forward pass over an encoded batch.
pub(crate) fn forward<M: Method>(
    method: &M,
    host: &Host,
    parameters: &Parameters,
    batch: &Batch,
) -> Result<Forward> {
    let classifier = method.classifier(host, parameters)?;
    let logits = method.logits(host, parameters, batch, classifier.as_ref())?;
    Ok(Forward { classifier, logits })
}
