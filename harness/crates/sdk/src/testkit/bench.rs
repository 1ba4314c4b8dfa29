//! A method on a toy backbone, for an author's own unit tests.

use harness_abi::wire::Split;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::ToyHost;
use crate::{
    Batch, Error, Gradients, Host, Method, Parameters, Result, Tensor,
    method::{encode_batch, forward, setup},
    training::{Trainable, initialise},
};

/// A method with its parameters on a toy source: three classes, a dozen images a split, towers of a
/// few hundred numbers.
///
/// What a test sees is what a training sees: the same initial values, host and gradients.
///
/// ```
/// use harness_sdk::testkit::Bench;
/// # use harness_sdk::{Card, Host, Init, Method, Parameter, Parameters, Result, Tensor};
/// # use harness_sdk::wire::{DataNeed, Family, Setting, Site};
/// # struct Shift;
/// # impl Method for Shift {
/// #     type Config = ();
/// #     fn card() -> Card {
/// #         Card { id: "shift", title: "", paper: "", family: Family::Features, depth: "text feature",
/// #             sites: &[Site::TextFeature], data: DataNeed::Features, recomputed: &[], deviations: &[] }
/// #     }
/// #     fn parameters(_: &(), setting: &Setting) -> Result<Vec<Parameter>> {
/// #         Ok(vec![Parameter::new("w", &[1, setting.backbone.embed_dim], Init::Zeros)])
/// #     }
/// #     fn setup(_: &(), _: &Host) -> Result<Self> { Ok(Self) }
/// #     fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
/// #         Ok(host.zero_shot()?.broadcast_add(parameters.get("w")?)?)
/// #     }
/// # }
/// // `Shift` adds a learned vector `w`, at first 0, to the zero-shot classifier.
/// let bench = Bench::<Shift>::new(&())?;
/// let batch = bench.batch(&[0, 1, 2])?;
/// assert_eq!(bench.logits(&batch)?.dims(), [3, bench.host().classes()]);
/// let gradients = bench.gradients(&batch)?;
/// assert!(gradients.loss() > 0.0);
/// assert_eq!(gradients.get("w")?.dims(), [1, bench.host().setting().backbone.embed_dim]);
/// # Ok::<(), harness_sdk::Error>(())
/// ```
pub struct Bench<M> {
    host: Host,
    method: M,
    trainable: Trainable,
}

impl<M: Method> Bench<M> {
    /// The method with its initial values.
    ///
    /// # Errors
    /// The method's own.
    pub fn new(config: &M::Config) -> Result<Self> {
        Self::with_seed(config, 0)
    }

    /// The same with the initial values of another seed.
    ///
    /// # Errors
    /// The method's own.
    pub fn with_seed(config: &M::Config, seed: u64) -> Result<Self> {
        let host = Host::new(ToyHost::source()?.object(), M::USES)?.with_seed(seed);
        let method = setup::<M>(config, &host)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let trainable = initialise(&method, config, &host, &mut rng)?;
        Ok(Self {
            host,
            method,
            trainable,
        })
    }

    /// The backbone and its task.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// What [`setup`](Method::setup) made.
    pub fn method(&self) -> &M {
        &self.method
    }

    /// A copy of the parameters.
    ///
    /// # Errors
    /// candle fails.
    pub fn parameters(&self) -> Result<Parameters> {
        self.trainable.values()
    }

    /// Gives a trained parameter another value.
    ///
    /// # Errors
    /// There is none of this name, or it has another shape.
    pub fn set(&self, name: &str, value: &Tensor) -> Result<()> {
        let mut vars = self.trainable.vars();
        let found = vars.find_map(|(of, var)| (of == name).then_some(var));
        let missing = || Error::Config(format!("the method trains no parameter `{name}`"));
        Ok(found.ok_or_else(missing)?.set(value)?)
    }

    /// Training images with their labels.
    ///
    /// # Errors
    /// A row is out of range.
    pub fn batch(&self, rows: &[u32]) -> Result<Batch> {
        self.host.batch(Split::Train, rows)
    }

    /// Logits `[B, C]`, as in an evaluation.
    ///
    /// # Errors
    /// The method's own.
    pub fn logits(&self, batch: &Batch) -> Result<Tensor> {
        let parameters = self.trainable.tracked();
        let batch = encode_batch(&self.method, &self.host, &parameters, batch.clone())?;
        Ok(forward(&self.method, &self.host, &parameters, &batch)?.logits)
    }

    /// The loss and its gradients, as in a training step.
    ///
    /// # Errors
    /// The method's own, or a trained parameter gets no gradient.
    pub fn gradients(&self, batch: &Batch) -> Result<Gradients> {
        let host = self.host.at_step(0);
        let parameters = self.trainable.tracked();
        let batch = encode_batch(&self.method, &host, &parameters, batch.clone())?;
        let forward = forward(&self.method, &host, &parameters, &batch)?;
        self.method.gradients(&host, &parameters, &batch, &forward)
    }
}
