//! The trait that a method author implements.

use candle_core::Tensor;
use harness_abi::wire::{Recipe, Setting};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::{Batch, Card, Feature, Forward, Gradients};
use crate::{Host, Parameter, Parameters, Result, ops};

/// A fine-tuning method.
///
/// A value of the type holds what is computed from the host's backbone and recomputed on
/// a target ([`setup`](Self::setup)). The declared [`parameters`](Self::parameters) are
/// trained on the source and carried to targets unchanged.
///
/// Every function may return an error; the training or evaluation then stops with it.
///
/// # What is called when
///
/// | on | in this order |
/// |---|---|
/// | the source, once | `recipe`, `parameters`, `setup`, `build` |
/// | the source, in each step | `images`, `classifier`, `logits`, `loss` (through `gradients`) |
/// | the source, at the end | `select`; then the module is written |
/// | source and targets, to evaluate | `parameters` (do the shapes fit?), `setup`, `classifier`, then `images` and `logits` for each batch |
///
/// # Example
///
/// Learned vectors before the class name, kept near the zero-shot features by a second loss.
///
/// ```
/// use harness_sdk::{
///     Batch, Card, ClassPrompts, Context, Forward, Host, Method, Parameter, Parameters, Result,
///     Tensor, ops,
///     schemars::JsonSchema,
///     serde::{Deserialize, Serialize},
///     testkit::Bench,
///     wire::{DataNeed, Family, Setting, Site},
/// };
///
/// #[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(crate = "harness_sdk::serde", default, deny_unknown_fields)]
/// #[schemars(crate = "harness_sdk::schemars")]
/// struct Config {
///     /// The learned context.
///     context: Context,
///     /// Weight of the distance to the zero-shot features.
///     weight: f64,
/// }
///
/// struct Nearby {
///     // Token ids: of the backbone's own tokenizer, so made anew on each.
///     prompts: ClassPrompts,
///     weight: f64,
/// }
///
/// impl Method for Nearby {
///     type Config = Config;
///
///     fn card() -> Card {
///         Card {
///             id: "nearby",
///             title: "Nearby: learned prompts near the written ones",
///             paper: "unpublished",
///             family: Family::Input,
///             depth: "text input",
///             sites: &[Site::TextInput],
///             data: DataNeed::Features,
///             recomputed: &["token ids of the class names"],
///             deviations: &[],
///         }
///     }
///
///     // `[M, text.width]`, initialised with the embeddings of "a photo of a".
///     fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
///         Ok(vec![config.context.parameter("ctx", setting, false)?])
///     }
///
///     fn setup(config: &Config, host: &Host) -> Result<Self> {
///         Ok(Self {
///             prompts: config.context.prompts(host)?,
///             weight: config.weight,
///         })
///     }
///
///     // `[SOS] ctx name . [EOT]` through the text tower: `[C, E]`.
///     fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
///         self.prompts.encode(host, parameters.get("ctx")?)
///     }
///
///     fn loss(
///         &self,
///         host: &Host,
///         _parameters: &Parameters,
///         batch: &Batch,
///         forward: &Forward,
///     ) -> Result<Tensor> {
///         let distance = ops::cosine_distance(&forward.classifier, &host.zero_shot()?)?;
///         let loss = ops::cross_entropy(&forward.logits, batch.labels()?)?;
///         Ok((loss + (distance * self.weight)?)?)
///     }
/// }
///
/// let at = |weight| -> Result<f64> {
///     let bench = Bench::<Nearby>::new(&Config { weight, ..Config::default() })?;
///     // At first the learned prompts are the written ones, and their distance is 0.
///     let far = bench.parameters()?.get("ctx")?.zeros_like()?;
///     bench.set("ctx", &far)?;
///     Ok(bench.gradients(&bench.batch(&[0, 1, 2])?)?.loss())
/// };
/// assert!(at(8.0)? > at(0.0)?);
/// # Ok::<(), harness_sdk::Error>(())
/// ```
pub trait Method: Sized + Send + Sync + 'static {
    /// The configuration. Add `#[serde(default, deny_unknown_fields)]`, so that a suite can
    /// set some fields and typos are reported.
    type Config: Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync;

    /// Name, paper and requirements.
    fn card() -> Card;

    /// What the method uses that hosts of older ABI versions do not offer. The plugin's record
    /// names the ABI version that follows, so that older hosts refuse the file before they run it.
    /// Using a feature that is not listed is an error.
    const USES: &'static [Feature] = &[];

    /// Whether [`loss`](Self::loss) stops a gradient on purpose, as by
    /// [`detach`](Tensor::detach) of something that depends on a parameter. Gradients then do not
    /// agree with finite differences of the loss, and are not compared with them.
    const STOPS_GRADIENTS: bool = false;

    /// The training recipe unless a suite changes it; by default CoOp's.
    fn recipe(_config: &Self::Config, _setting: &Setting) -> Recipe {
        Recipe::default()
    }

    /// The parameters, from the backbone's dimensions.
    ///
    /// # Errors
    /// [`Error::NotInjectable`](crate::Error::NotInjectable) where the method cannot work,
    /// [`Error::Config`](crate::Error::Config) for an invalid configuration.
    fn parameters(config: &Self::Config, setting: &Setting) -> Result<Vec<Parameter>>;

    /// Computes what is not carried: token ids, class embeddings, reference features. What is
    /// drawn from [`Host::random`] is the same on source and target.
    ///
    /// # Errors
    /// The host cannot compute it.
    fn setup(config: &Self::Config, host: &Host) -> Result<Self>;

    /// Unnormalised text features `[C, E]` of all classes; by default the zero-shot classifier.
    /// Most methods implement only this. Called once per step and once per evaluation.
    ///
    /// # Errors
    /// See the trait.
    fn classifier(&self, host: &Host, _parameters: &Parameters) -> Result<Tensor> {
        host.zero_shot()
    }

    /// Unnormalised image features `[B, E]` of a batch, for methods that change the image
    /// tower; by default those of the frozen tower.
    ///
    /// # Errors
    /// See the trait.
    fn images(&self, host: &Host, _parameters: &Parameters, batch: &Batch) -> Result<Tensor> {
        batch.frozen_features(host)
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
        classifier: &Tensor,
    ) -> Result<Tensor> {
        ops::cosine_logits(&batch.features(host)?, classifier, host.logit_scale())
    }

    /// The loss, a scalar; by default the cross entropy.
    ///
    /// # Errors
    /// See the trait.
    fn loss(
        &self,
        _host: &Host,
        _parameters: &Parameters,
        batch: &Batch,
        forward: &Forward,
    ) -> Result<Tensor> {
        ops::cross_entropy(&forward.logits, batch.labels()?)
    }

    /// The gradients of a step; by default those of [`loss`](Self::loss). Methods that join the
    /// gradients of several losses (ProGrad) change them here.
    ///
    /// # Errors
    /// See the trait.
    fn gradients(
        &self,
        host: &Host,
        parameters: &Parameters,
        batch: &Batch,
        forward: &Forward,
    ) -> Result<Gradients> {
        Gradients::of_loss(self, host, parameters, batch, forward)
    }

    /// The parameters before the first step, from their declared initial values; by default
    /// those. Methods without gradients (Tip-Adapter) compute them here. Training continues from
    /// them unless `epochs` is 0.
    ///
    /// # Errors
    /// See the trait.
    fn build(&self, _host: &Host, initial: Parameters) -> Result<Parameters> {
        Ok(initial)
    }

    /// One weight per epoch: the module is the weighted sum of the parameters after each
    /// epoch (PromptSRC); none: those after the last.
    fn epoch_weights(&self, _epochs: usize) -> Option<Vec<f64>> {
        None
    }

    /// Chooses the module on the validation split after training; by default as trained.
    ///
    /// # Errors
    /// See the trait.
    fn select(&self, _host: &Host, trained: Parameters) -> Result<Parameters> {
        Ok(trained)
    }
}
