//! Tip-Adapter-F: the cache with trained keys.

use harness_sdk::{
    Batch, Card, Host, Method, OptimizerKind, Parameter, Parameters, Recipe, Result, Schedule,
    Tensor, wire::Setting,
};

use crate::{
    cache::{self, Cache},
    config::Config,
    training_free::CARD,
};

/// Tip-Adapter-F for one backbone.
pub struct TipAdapterF(Cache);

impl Method for TipAdapterF {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "tip-adapter-f",
            title: "Tip-Adapter-F: the cache with trained keys",
            deviations: &[
                "the module has the keys of the last epoch; the reference selects the best epoch on the test set",
                "alpha and beta are searched on the few-shot validation split; the reference searches on the test set of ImageNet and on full validation sets otherwise",
                "keys are initialised with the mean over the suite's `views`, one by default; the reference averages ten, random crops of 50 to 100 % of the area",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on the same crops",
                "20 epochs for every data set; the reference uses 100 for EuroSAT",
            ],
            ..CARD
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
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
