//! Tip-Adapter: the cache without training.

use harness_sdk::{
    Batch, Card, Host, Method, Parameter, Parameters, Recipe, Result, Tensor,
    wire::{DataNeed, Family, Setting, Site},
};

use crate::{
    cache::{self, Cache},
    config::Config,
};

/// Tip-Adapter for one backbone.
pub struct TipAdapter(Cache);

/// Tip-Adapter's card; Tip-Adapter-F's differs in a few fields.
pub(crate) const CARD: Card = Card {
    id: "tip-adapter",
    title: "Tip-Adapter: a cache of training features, not trained",
    paper: "arXiv 2207.09519",
    family: Family::Features,
    depth: "logits",
    sites: &[Site::Logits],
    data: DataNeed::Features,
    recomputed: &["the zero-shot classifier"],
    deviations: &[
        "alpha and beta are searched on the few-shot validation split; the reference searches on the test set of ImageNet and on full validation sets otherwise",
        "a key is the mean over the suite's `views`, one by default; the reference averages ten, random crops of 50 to 100 % of the area",
        "the classifier uses the data set's templates; the reference uses seven for ImageNet",
    ],
};

impl Method for TipAdapter {
    type Config = Config;

    fn card() -> Card {
        CARD
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            epochs: 0,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        cache::parameters(config, setting)
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self(Cache::new(config, host)?))
    }

    fn build(&self, host: &Host, _initial: Parameters) -> Result<Parameters> {
        self.0.build(host)
    }

    fn logits(
        &self,
        host: &Host,
        parameters: &Parameters,
        batch: &Batch,
        _classifier: &Tensor,
    ) -> Result<Tensor> {
        self.0.logits(host, parameters, batch)
    }

    fn select(&self, host: &Host, trained: Parameters) -> Result<Parameters> {
        self.0.select(host, trained)
    }
}
