//! Tip-Adapter: the cache as it is built.

use harness_sdk::{
    Batch, Bench, Card, Method, Parameter, Parameters, Recipe, Result, Tensor,
    wire::{DataNeed, Family, Setting, Site},
};

use crate::{
    cache::{self, Cache},
    config::Config,
};

/// The method.
pub struct TipAdapter(Cache);

/// The card of Tip-Adapter; Tip-Adapter-F's differs in few fields.
pub(crate) const CARD: Card = Card {
    id: "tip-adapter",
    title: "Tip-Adapter: a cache of training features, without training",
    paper: "arXiv 2207.09519",
    family: Family::Features,
    depth: "logits",
    sites: &[Site::Logits],
    needs: &["keys [n, embed_dim], values [n, C] of n training images"],
    data: DataNeed::Features,
    carried: &["keys", "values", "alpha", "beta"],
    recomputed: &["the zero-shot classifier"],
    deviations: &[
        "alpha and beta are searched on the few-shot validation draw; the reference searches on the test set of ImageNet and on whole validation sets elsewhere",
        "a key is the feature of one view of an image; the reference averages ten augmented ones",
        "the classifier uses the data set's templates; the reference has seven for ImageNet",
    ],
};

impl Method for TipAdapter {
    type Config = Config;

    fn card() -> Card {
        CARD
    }

    fn recipe(_config: &Config) -> Recipe {
        Recipe {
            epochs: 0,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        cache::parameters(config, setting)
    }

    fn prepare(config: &Config, bench: &Bench) -> Result<Self> {
        Ok(Self(Cache::prepare(config, bench)?))
    }

    fn build(&self, bench: &Bench) -> Result<Option<Parameters>> {
        Ok(Some(self.0.build(bench)?))
    }

    fn logits(
        &self,
        bench: &Bench,
        parameters: &Parameters,
        batch: &Batch,
        _classifier: Option<&Tensor>,
    ) -> Result<Tensor> {
        self.0.logits(bench, parameters, batch)
    }

    fn select(&self, bench: &Bench, trained: &Parameters) -> Result<Option<Parameters>> {
        self.0.select(bench, trained)
    }
}
