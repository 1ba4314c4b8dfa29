//! KgCoOp: knowledge-guided context optimisation (Yao et al., arXiv 2303.13283).
//!
//! CoOp whose text features are kept close to those of the hand-written template:
//! L = L_ce + w (1 - mean_c cos(t_c, t_zs,c)).

use harness_sdk::{
    Batch, Card, ClassPrompts, Context, Error, Forward, Host, Method, Parameter, Parameters,
    Recipe, Result, Tensor, export_plugin, ops,
    wire::{DataNeed, Family, Role, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of KgCoOp.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The learned context.
    context: Context,
    /// w, the weight of the distance to the zero-shot text features.
    weight: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            context: Context::default(),
            weight: 8.0,
        }
    }
}

/// KgCoOp for one backbone.
pub struct KgCoOp {
    prompts: ClassPrompts,
    weight: f64,
    /// The source's zero-shot text features `[C, E]`; none on a target.
    teacher: Option<Tensor>,
}

impl Method for KgCoOp {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "kgcoop",
            title: "KgCoOp: knowledge-guided context optimisation",
            paper: "arXiv 2303.13283",
            family: Family::Input,
            depth: "text input",
            sites: &[Site::TextInput],
            data: DataNeed::Features,
            recomputed: &["token ids and embeddings of the class names"],
            deviations: &[
                "the teacher uses the data set's template; the reference has its own for some data sets",
                "parameters are f32; the reference trains in f16",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on random crops of 8 to 100 % of the area, flipped half of the time",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            epochs: 100,
            batch: 128,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        if !(config.weight >= 0.0 && config.weight.is_finite()) {
            return Err(Error::Config(format!(
                "weight must not be negative, found {}",
                config.weight
            )));
        }
        Ok(vec![config.context.parameter("ctx", setting, false)?])
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        let teacher = match host.setting().role {
            Role::Source => Some(host.zero_shot()?),
            Role::Target => None,
        };
        Ok(Self {
            prompts: config.context.prompts(host)?,
            weight: config.weight,
            teacher,
        })
    }

    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        let features = self.prompts.encode(host, parameters.get("ctx")?)?;
        Ok(features)
    }

    fn loss(
        &self,
        _host: &Host,
        _parameters: &Parameters,
        batch: &Batch,
        forward: &Forward,
    ) -> Result<Tensor> {
        let loss = ops::cross_entropy(&forward.logits, batch.labels()?)?;
        match &self.teacher {
            Some(teacher) => {
                let distance = ops::cosine_distance(&forward.classifier, teacher)?;
                Ok((loss + (distance * self.weight)?)?)
            }
            None => Ok(loss),
        }
    }
}

export_plugin!(KgCoOp);
