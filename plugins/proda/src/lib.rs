//! ProDA: prompt distribution learning (Lu et al., arXiv 2205.03340).
//!
//! Each class has K prompts, whose features are taken for samples of a Gaussian. Training minimises
//! an upper bound of the cross entropy that is expected over it, and keeps the prompts different
//! from each other; the module classifies with the mean.

mod bound;
mod config;
mod prompts;

use harness_sdk::{
    Batch, Card, Forward, Host, Init, Method, Parameter, Parameters, Recipe, Result, Tensor,
    export_plugin, ops,
    wire::{DataNeed, Family, Setting, Site},
};

pub use config::Config;
use prompts::Words;

/// ProDA for one backbone.
pub struct Proda {
    words: Words,
    config: Config,
}

impl Method for Proda {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "proda",
            title: "ProDA: a distribution of prompts",
            paper: "arXiv 2205.03340",
            family: Family::Input,
            depth: "text input",
            sites: &[Site::TextInput],
            data: DataNeed::Features,
            recomputed: &["token ids and embeddings of the class names"],
            deviations: &[
                "CoOp's recipe; the authors' is not known to us",
                "a step draws its prompts anew; other implementations go through a permutation of them",
                "parameters are f32; the reference trains in f16",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on random crops, flipped half of the time",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe::default()
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        config.check()?;
        // Refuses what does not fit the text tower.
        config.context().parameter("ctx", setting, false)?;
        let shape = [config.prompts, config.length, setting.backbone.text.width];
        let init = Init::Normal { std: 0.02 };
        Ok(vec![Parameter::new("ctx", &shape, init)])
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self {
            words: Words::new(host)?,
            config: config.clone(),
        })
    }

    /// Normalised features `[P, C, E]`: of a draw of prompts in a training step, else of all.
    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        let contexts = parameters.get("ctx")?;
        let chosen = match host.is_in_step() {
            true => {
                let mut drawn = host.random("prompts").permutation(self.config.prompts);
                drawn.truncate(self.config.prompts_a_step);
                drawn
            }
            false => (0..self.config.prompts as u32).collect(),
        };
        self.words.encode(host, contexts, &chosen)
    }

    /// With the mean of the prompts' features, which is not normalised again.
    fn logits(
        &self,
        host: &Host,
        _parameters: &Parameters,
        batch: &Batch,
        classifier: &Tensor,
    ) -> Result<Tensor> {
        let images = ops::normalize(&batch.features(host)?)?;
        let logits = images.matmul(&classifier.mean(0)?.t()?)?;
        Ok((logits * host.logit_scale())?)
    }

    fn loss(
        &self,
        host: &Host,
        parameters: &Parameters,
        batch: &Batch,
        forward: &Forward,
    ) -> Result<Tensor> {
        let images = ops::normalize(&batch.features(host)?)?;
        let labels = batch.labels()?;
        let margin = bound::margin(&images, &forward.classifier, labels, host.logit_scale())?;
        let loss = ops::cross_entropy(&(&forward.logits + margin)?, labels)?;
        if self.config.weight == 0.0 {
            return Ok(loss);
        }
        let alone = self.words.encode_alone(host, parameters.get("ctx")?)?;
        Ok((loss + (bound::similarity(&alone)? * self.config.weight)?)?)
    }
}

export_plugin!(Proda);
