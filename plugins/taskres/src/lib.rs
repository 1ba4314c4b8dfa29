//! TaskRes: task residual tuning (Yu et al., arXiv 2211.10277).
//!
//! A residual is added to the text feature of every class: t' = t + alpha x. The
//! text feature t comes from the backbone at hand, the residual x is carried.

use harness_sdk::{
    Bench, Card, Error, Init, Method, OptimizerKind, Parameter, Parameters, Recipe, Result, Tensor,
    export_plugin,
    wire::{DataNeed, Ensemble, Family, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of TaskRes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The weight of the residual; the authors take 1.0 for Oxford Flowers.
    alpha: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { alpha: 0.5 }
    }
}

/// The method.
pub struct TaskRes {
    alpha: f64,
    /// Unnormalised text features `[C, E]` of the data set's templates.
    base: Tensor,
}

impl Method for TaskRes {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "taskres",
            title: "TaskRes: task residual tuning",
            paper: "arXiv 2211.10277",
            family: Family::Features,
            depth: "text feature",
            sites: &[Site::TextFeature],
            needs: &["x [C, embed_dim]"],
            data: DataNeed::Features,
            carried: &["x"],
            recomputed: &["text features of the templates"],
            deviations: &[
                "the base is never carried; the reference's checkpoint holds it, so that on another backbone it would be the old one's",
                "`_` in a class name reads as a space; the reference leaves it",
                "only the regular base: the enhanced one needs a checkpoint that is not published",
                "lr 2e-3 everywhere, the reference takes 2e-4 on ImageNet",
            ],
        }
    }

    fn recipe(_config: &Config) -> Recipe {
        Recipe {
            optimizer: OptimizerKind::Adam,
            epochs: 200,
            batch: 256,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        if !config.alpha.is_finite() {
            return Err(Error::Config(format!(
                "alpha must be finite, found {}",
                config.alpha
            )));
        }
        let shape = [setting.task.classes.len(), setting.backbone.embed_dim];
        Ok(vec![Parameter::new("x", &shape, Init::Zeros).per_class(0)])
    }

    fn prepare(config: &Config, bench: &Bench) -> Result<Self> {
        let templates = &bench.setting().task.templates;
        Ok(Self {
            alpha: config.alpha,
            base: bench.class_features(templates, Ensemble::RawMean)?,
        })
    }

    fn classifier(&self, _bench: &Bench, parameters: &Parameters) -> Result<Option<Tensor>> {
        let residual = (parameters.get("x")? * self.alpha)?;
        Ok(Some((&self.base + residual)?))
    }
}

export_plugin!(TaskRes);
