//! A linear probe: the baseline without text.
//!
//! Multinomial logistic regression on L2-normalised image features, z = W f/||f|| + b, as
//! in Radford et al. (arXiv 2103.00020, section 3.2) on full training sets.

use harness_sdk::{
    Batch, Card, Host, Init, Method, OptimizerKind, Parameter, Parameters, Recipe, Result,
    Schedule, Tensor, export_plugin, ops,
    wire::{DataNeed, Family, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration: none.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

/// A linear probe.
pub struct LinearProbe;

impl Method for LinearProbe {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "linear-probe",
            title: "Linear probe on image features",
            paper: "arXiv 2103.00020",
            family: Family::Features,
            depth: "logits",
            sites: &[Site::Logits],
            data: DataNeed::Features,
            recomputed: &[],
            deviations: &[
                "AdamW with weight decay 0.01 instead of L-BFGS with a tuned L2 penalty, to share the training loop of all methods",
                "features are normalised, so that one learning rate suits every backbone",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            optimizer: OptimizerKind::AdamW,
            lr: 1e-2,
            weight_decay: 1e-2,
            schedule: Schedule::StepCosine,
            epochs: 200,
            ..Recipe::default()
        }
    }

    fn parameters(_config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        let classes = setting.task.classes.len();
        let weight = [classes, setting.backbone.embed_dim];
        Ok(vec![
            Parameter::new("w", &weight, Init::Zeros).per_class(0),
            Parameter::new("b", &[classes], Init::Zeros).per_class(0),
        ])
    }

    fn setup(_config: &Config, _host: &Host) -> Result<Self> {
        Ok(Self)
    }

    fn logits(
        &self,
        host: &Host,
        parameters: &Parameters,
        batch: &Batch,
        _classifier: &Tensor,
    ) -> Result<Tensor> {
        let image = ops::normalize(&batch.features(host)?)?;
        ops::linear(&image, parameters.get("w")?, Some(parameters.get("b")?))
    }
}

export_plugin!(LinearProbe);
