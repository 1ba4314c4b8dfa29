//! The trait that a method author implements.

use candle_core::Tensor;
use harness_abi::wire::{Recipe, Setting};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::{Batch, Card, Forward};
use crate::{Error, Host, Parameter, Parameters, Result, ops};

/// A fine-tuning method.
///
/// A value of the type holds what is computed from the host's backbone and recomputed on
/// a target ([`setup`](Self::setup)). The declared [`parameters`](Self::parameters) are
/// trained on the source and carried to targets unchanged.
///
/// Every function may return an error; the training or evaluation then stops with it.
pub trait Method: Sized + Send + Sync + 'static {
    /// The configuration. Add `#[serde(default, deny_unknown_fields)]`, so that a suite can
    /// set some fields and typos are reported.
    type Config: Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync;

    /// Name, paper and requirements.
    fn card() -> Card;

    /// The training recipe unless a suite changes it; by default CoOp's.
    fn recipe(_config: &Self::Config) -> Recipe {
        Recipe::default()
    }

    /// The parameters, from the backbone's dimensions.
    ///
    /// # Errors
    /// [`Error::NotInjectable`] where the method cannot work, [`Error::Config`] for an
    /// invalid configuration.
    fn parameters(config: &Self::Config, setting: &Setting) -> Result<Vec<Parameter>>;

    /// Computes what is not carried: token ids, class embeddings, reference features.
    ///
    /// # Errors
    /// The host cannot compute it.
    fn setup(config: &Self::Config, host: &Host) -> Result<Self>;

    /// Unnormalised text features `[C, E]` of all classes. Most methods implement only
    /// this. Called once per step and once per evaluation.
    ///
    /// # Errors
    /// See the trait.
    fn classifier(&self, _host: &Host, _parameters: &Parameters) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Unnormalised image features `[B, E]` of a batch, for methods that change the image
    /// tower; none: those of the frozen tower.
    ///
    /// # Errors
    /// See the trait.
    fn images(
        &self,
        _host: &Host,
        _parameters: &Parameters,
        _batch: &Batch,
    ) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Logits `[B, C]` of a batch; by default scaled cosine similarities between image
    /// features and classifier.
    ///
    /// # Errors
    /// See the trait.
    fn logits(
        &self,
        host: &Host,
        _parameters: &Parameters,
        batch: &Batch,
        classifier: Option<&Tensor>,
    ) -> Result<Tensor> {
        let Some(classifier) = classifier else {
            let id = Self::card().id;
            return Err(Error::Config(format!(
                "method `{id}` implements neither `classifier` nor `logits`"
            )));
        };
        ops::cosine_logits(&batch.features(host)?, classifier, host.logit_scale())
    }

    /// The loss, a scalar; by default the cross entropy.
    ///
    /// # Errors
    /// See the trait.
    fn loss(&self, _host: &Host, batch: &Batch, forward: &Forward) -> Result<Tensor> {
        ops::cross_entropy(&forward.logits, batch.labels()?)
    }

    /// A second loss with a gradient of its own (ProGrad); [`combine`](Self::combine)
    /// merges the two.
    ///
    /// # Errors
    /// See the trait.
    fn second_loss(
        &self,
        _host: &Host,
        _batch: &Batch,
        _forward: &Forward,
    ) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// The gradient of one parameter from those of the two losses, all of its shape.
    ///
    /// # Errors
    /// See the trait.
    fn combine(&self, first: &Tensor, _second: &Tensor) -> Result<Tensor> {
        Ok(first.clone())
    }

    /// Builds the parameters directly, without gradients (Tip-Adapter); none: they are
    /// initialised as declared. Training continues from them unless `epochs` is 0.
    ///
    /// # Errors
    /// See the trait.
    fn build(&self, _host: &Host) -> Result<Option<Parameters>> {
        Ok(None)
    }

    /// One weight per epoch: the module is the weighted sum of the parameters after each
    /// epoch (PromptSRC); none: those after the last.
    fn epoch_weights(&self, _epochs: usize) -> Option<Vec<f64>> {
        None
    }

    /// Chooses the module on the validation split after training; none: as trained.
    ///
    /// # Errors
    /// See the trait.
    fn select(&self, _host: &Host, _trained: &Parameters) -> Result<Option<Parameters>> {
        Ok(None)
    }
}
