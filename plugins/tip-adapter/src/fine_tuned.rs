//! Tip-Adapter-F: the cache with its keys trained.

use harness_sdk::{
    Batch, Bench, Card, Method, OptimizerKind, Parameter, Parameters, Recipe, Result, Schedule,
    Tensor, wire::Setting,
};

use crate::{
    cache::{self, Cache},
    config::Config,
    training_free::CARD,
};

/// The method.
pub struct TipAdapterF(Cache);

impl Method for TipAdapterF {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "tip-adapter-f",
            title: "Tip-Adapter-F: the cache with trained keys",
            deviations: &[
                "the last epoch's keys are the module; the reference keeps the epoch that is best on the test set",
                "alpha and beta are searched on the few-shot validation draw; the reference searches on the test set of ImageNet and on whole validation sets elsewhere",
                "keys begin with the feature of one view of an image; the reference averages ten augmented ones",
                "20 epochs everywhere; the reference takes 100 on EuroSAT",
            ],
            ..CARD
        }
    }

    fn recipe(_config: &Config) -> Recipe {
        Recipe {
            optimizer: OptimizerKind::AdamW,
            lr: 1e-3,
            weight_decay: 1e-2,
            eps: 1e-4,
            schedule: Schedule::StepCosine,
            epochs: 20,
            batch: 256,
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
