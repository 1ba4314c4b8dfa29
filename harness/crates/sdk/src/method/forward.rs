//! One forward pass, and what precedes it. Errors say in which of the author's functions they
//! occurred.

use candle_core::Tensor;

use harness_abi::wire::Setting;

use super::{Batch, Method};
use crate::{Host, Parameter, Parameters, Result};

/// The result of a forward pass.
#[derive(Clone, Debug)]
pub struct Forward {
    /// `[C, E]` from [`Method::classifier`].
    pub classifier: Tensor,
    /// `[B, C]`.
    pub logits: Tensor,
}

/// The batch with its features from [`Method::images`].
pub(crate) fn encode_batch<M: Method>(
    method: &M,
    host: &Host,
    parameters: &Parameters,
    batch: Batch,
) -> Result<Batch> {
    let images = method.images(host, parameters, &batch);
    let images = images.map_err(|e| e.within(function::<M>("images")))?;
    Ok(batch.with_images(images))
}

/// A forward pass over an encoded batch.
pub(crate) fn forward<M: Method>(
    method: &M,
    host: &Host,
    parameters: &Parameters,
    batch: &Batch,
) -> Result<Forward> {
    let classifier = classifier(method, host, parameters)?;
    let logits = logits(method, host, parameters, batch, &classifier)?;
    Ok(Forward { classifier, logits })
}

/// [`Method::classifier`], with its name in errors.
pub(crate) fn classifier<M: Method>(
    method: &M,
    host: &Host,
    parameters: &Parameters,
) -> Result<Tensor> {
    let classifier = method.classifier(host, parameters);
    classifier.map_err(|e| e.within(function::<M>("classifier")))
}

/// [`Method::logits`], with its name in errors.
pub(crate) fn logits<M: Method>(
    method: &M,
    host: &Host,
    parameters: &Parameters,
    batch: &Batch,
    classifier: &Tensor,
) -> Result<Tensor> {
    let logits = method.logits(host, parameters, batch, classifier);
    logits.map_err(|e| e.within(function::<M>("logits")))
}

/// [`Method::parameters`], with its name in errors.
pub(crate) fn parameters<M: Method>(
    config: &M::Config,
    setting: &Setting,
) -> Result<Vec<Parameter>> {
    M::parameters(config, setting).map_err(|e| e.within(function::<M>("parameters")))
}

/// [`Method::setup`], with its name in errors.
pub(crate) fn setup<M: Method>(config: &M::Config, host: &Host) -> Result<M> {
    M::setup(config, host).map_err(|e| e.within(function::<M>("setup")))
}

/// An author's function, as errors call it.
pub(crate) fn function<M: Method>(name: &str) -> String {
    format!("`{name}` of `{}`", M::card().id)
}
