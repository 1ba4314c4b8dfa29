//! What a method author writes.

use candle_core::{Tensor, Var};
use harness_abi::wire::{DataNeed, Family, MethodCard, Setting, Site, Split};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Bench, Error, Parameter, Parameters, Recipe, Result, ops};

/// A fine-tuning method.
///
/// A value of the type holds what is computed from the backbone at hand; it is
/// made anew on the target ([`prepare`](Self::prepare)). What is trained, and
/// carried to the target unchanged, are the declared
/// [`parameters`](Self::parameters).
pub trait Method: Sized + Send + Sync + 'static {
    /// The configuration. Write `#[serde(default, deny_unknown_fields)]` on it.
    type Config: Serialize + DeserializeOwned + JsonSchema + Default + Clone + Send + Sync;

    /// Who it is.
    fn card() -> Card;

    /// How it is trained unless a suite says otherwise.
    fn recipe(_config: &Self::Config) -> Recipe {
        Recipe::default()
    }

    /// What it trains in a setting. [`Error::NotInjectable`] where it cannot.
    fn parameters(config: &Self::Config, setting: &Setting) -> Result<Vec<Parameter>>;

    /// Computes what is not carried: token ids, class embeddings, references.
    fn prepare(config: &Self::Config, bench: &Bench) -> Result<Self>;

    /// Text features `[C, E]` of all classes, unnormalised: all that most methods
    /// have to write. Called once per step, and once per evaluation.
    fn classifier(&self, _bench: &Bench, _parameters: &Parameters) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Image features `[B, E]` of a batch, unnormalised, for methods with sites in
    /// the image tower; none: those of the frozen tower.
    fn images(
        &self,
        _bench: &Bench,
        _parameters: &Parameters,
        _batch: &Batch,
    ) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Logits `[B, C]` of a batch; by default scaled cosines between the image
    /// features and the classifier.
    fn logits(
        &self,
        bench: &Bench,
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
        ops::cosine_logits(&batch.features(bench)?, classifier, bench.logit_scale())
    }

    /// The loss; by default the cross entropy.
    fn loss(&self, _bench: &Bench, batch: &Batch, forward: &Forward) -> Result<Tensor> {
        ops::cross_entropy(&forward.logits, batch.labels()?)
    }

    /// A second loss whose gradient is kept apart from the first's (ProGrad);
    /// [`combine`](Self::combine) makes one direction of the two.
    fn second_loss(
        &self,
        _bench: &Bench,
        _batch: &Batch,
        _forward: &Forward,
    ) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// The direction for one parameter from the gradients of the two losses.
    fn combine(&self, first: &Tensor, _second: &Tensor) -> Result<Tensor> {
        Ok(first.clone())
    }

    /// Builds the parameters at once, without gradients (Tip-Adapter).
    fn build(&self, _bench: &Bench) -> Result<Option<Parameters>> {
        Ok(None)
    }

    /// Weight of the parameters after each epoch in the average that becomes the
    /// module (PromptSRC); none: the last epoch's are the module.
    fn epoch_weights(&self, _epochs: usize) -> Option<Vec<f64>> {
        None
    }

    /// Picks the module on the validation split after training; none: as trained.
    fn select(&self, _bench: &Bench, _trained: &Parameters) -> Result<Option<Parameters>> {
        Ok(None)
    }
}

/// A method's entry in lists and documentation.
#[derive(Clone, Debug)]
pub struct Card {
    /// Name in a suite: lower case, digits and dashes.
    pub id: &'static str,
    pub title: &'static str,
    pub paper: &'static str,
    pub family: Family,
    /// The deepest site with the default configuration.
    pub depth: &'static str,
    pub sites: &'static [Site],
    /// Shapes at the sites, as expressions of the backbone's dimensions.
    pub needs: &'static [&'static str],
    pub data: DataNeed,
    pub carried: &'static [&'static str],
    pub recomputed: &'static [&'static str],
    /// Where it differs from the published method or its reference code, and why.
    pub deviations: &'static [&'static str],
}

impl Card {
    /// The card as it crosses to the host.
    pub(crate) fn publish<M: Method>() -> Result<MethodCard> {
        let card = M::card();
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        Ok(MethodCard {
            id: card.id.to_owned(),
            title: card.title.to_owned(),
            paper: card.paper.to_owned(),
            family: card.family,
            depth: card.depth.to_owned(),
            sites: card.sites.to_vec(),
            needs: texts(card.needs),
            data: card.data,
            carried: texts(card.carried),
            recomputed: texts(card.recomputed),
            deviations: texts(card.deviations),
            config_schema: serde_json::to_value(schemars::schema_for!(M::Config))?,
            recipe: serde_json::to_value(M::recipe(&M::Config::default()))?,
        })
    }
}

/// Some rows of a split; with their classes, except for the test split.
#[derive(Clone, Debug)]
pub struct Batch {
    split: Split,
    rows: Vec<u32>,
    view: u32,
    labels: Option<Tensor>,
    /// `[B, E]`, where the method has an image tower of its own.
    images: Option<Tensor>,
}

impl Batch {
    pub(crate) fn new(split: Split, rows: Vec<u32>, labels: Option<Tensor>) -> Self {
        Self {
            split,
            rows,
            view: 0,
            labels,
            images: None,
        }
    }

    /// The same images in another view.
    pub(crate) fn in_view(self, view: u32) -> Self {
        Self { view, ..self }
    }

    /// The batch with its images through the method's own image tower, if it has one.
    pub(crate) fn seen_by<M: Method>(
        self,
        method: &M,
        bench: &Bench,
        parameters: &Parameters,
    ) -> Result<Self> {
        let images = method.images(bench, parameters, &self)?;
        Ok(Self { images, ..self })
    }

    /// Which view of the images; epochs take turns.
    pub fn view(&self) -> u32 {
        self.view
    }

    pub fn split(&self) -> Split {
        self.split
    }

    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Class indices `[B]` (u32).
    pub fn labels(&self) -> Result<&Tensor> {
        self.labels
            .as_ref()
            .ok_or_else(|| Error::Config("the labels of the test split are not given out".into()))
    }

    /// Unnormalised image features `[B, E]`: the method's own
    /// ([`Method::images`]), otherwise those of the frozen image tower.
    pub fn features(&self, bench: &Bench) -> Result<Tensor> {
        match &self.images {
            Some(images) => Ok(images.clone()),
            None => self.frozen_features(bench),
        }
    }

    /// Unnormalised features `[B, E]` of the frozen image tower.
    pub fn frozen_features(&self, bench: &Bench) -> Result<Tensor> {
        bench.image_view(self.split, &self.rows, self.view)
    }
}

/// The result of a forward pass.
#[derive(Clone, Debug)]
pub struct Forward {
    /// `[C, E]`, where the method has a classifier.
    pub classifier: Option<Tensor>,
    /// `[B, C]`
    pub logits: Tensor,
}

impl Forward {
    pub(crate) fn of<M: Method>(
        method: &M,
        bench: &Bench,
        parameters: &Parameters,
        batch: &Batch,
    ) -> Result<Self> {
        let classifier = method.classifier(bench, parameters)?;
        let logits = method.logits(bench, parameters, batch, classifier.as_ref())?;
        Ok(Self { classifier, logits })
    }
}

/// The direction of one step for every parameter, in their order, and the loss.
pub(crate) fn directions<M: Method>(
    method: &M,
    bench: &Bench,
    batch: &Batch,
    forward: &Forward,
    vars: &[(&str, &Var)],
) -> Result<(f64, Vec<Tensor>)> {
    let loss = method.loss(bench, batch, forward)?;
    let value = f64::from(loss.to_scalar::<f32>()?);
    if !value.is_finite() {
        return Err(Error::Numeric(format!("the loss became {value}")));
    }
    let gradients = loss.backward()?;
    let second = match method.second_loss(bench, batch, forward)? {
        Some(loss) => Some(loss.backward()?),
        None => None,
    };
    let mut directions = vec![];
    for &(name, var) in vars {
        let missing = || Error::NoGradient(name.to_owned());
        let first = gradients.get(var).ok_or_else(missing)?;
        directions.push(match &second {
            None => first.clone(),
            Some(second) => method.combine(first, second.get(var).ok_or_else(missing)?)?,
        });
    }
    Ok((value, directions))
}
