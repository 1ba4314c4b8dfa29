//! CLIPFit: the output biases of the text tower's MLPs and every LayerNorm of the image
//! tower; text features are kept close to zero-shot, as in KgCoOp:
//! L = L_ce + w (1 - mean_c cos(t_c, t_zs,c)).

use harness_sdk::{
    Batch, Card, Error, Forward, Host, Method, Parameter, Parameters, Prompts, Recipe, Result,
    Tensor, ops,
    wire::{DataNeed, Family, NamedParameter, Role, Setting, Site, Tower},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::vectors::{self, Mode};

/// Configuration of CLIPFit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// w, the weight of the distance to the zero-shot text features.
    weight: f64,
    /// Whether the target's own values are replaced or added to.
    mode: Mode,
    /// Prompt template; `{}` is the class name.
    template: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            weight: 8.0,
            mode: Mode::Replace,
            template: "a photo of a {}.".to_owned(),
        }
    }
}

/// CLIPFit for one backbone.
pub struct ClipFit {
    config: Config,
    prompts: Vec<Vec<u32>>,
    /// The source's zero-shot text features `[C, E]`; none on a target.
    teacher: Option<Tensor>,
}

/// Whether CLIPFit trains this bias or gain.
fn is_trained(parameter: &NamedParameter) -> bool {
    let Some((module, _)) = parameter.name.rsplit_once('.') else {
        return false;
    };
    match parameter.tower {
        Tower::Text => parameter.name.ends_with(".mlp.proj.bias"),
        Tower::Image => {
            let last = module.rsplit_once('.').map_or(module, |(_, last)| last);
            last == "norm" || last.starts_with("ln_")
        }
    }
}

impl Method for ClipFit {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "clipfit",
            title: "CLIPFit: MLP biases of the text tower, LayerNorms of the image tower",
            paper: "arXiv 2409.16718",
            family: Family::Weights,
            depth: "MLP biases of every text block, LayerNorms of every image block",
            sites: &[Site::Bias],
            data: DataNeed::Pixels,
            recomputed: &["token ids of the class names"],
            deviations: &[
                "LayerNorms without a counterpart in the target's image tower are left out",
                "training images are single unaugmented views unless the suite's `images` says otherwise",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            epochs: 100,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        let weight_fits = config.weight >= 0.0 && config.weight.is_finite();
        if !weight_fits || !config.template.contains("{}") {
            return Err(Error::Config(
                "weight must not be negative; template must contain {}".into(),
            ));
        }
        vectors::parameters(setting, config.mode, is_trained)
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self {
            prompts: host.class_prompts(&config.template)?,
            config: config.clone(),
            teacher: match host.setting().role {
                Role::Source => Some(host.zero_shot()?),
                Role::Target => None,
            },
        })
    }

    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        let edits = vectors::edits(parameters, Tower::Text, self.config.mode);
        let prompts = Prompts::new(self.prompts.len()).class_tokens(&self.prompts);
        Ok(prompts.with_edits(&edits).encode(host)?.squeeze(0)?)
    }

    fn images(&self, host: &Host, parameters: &Parameters, batch: &Batch) -> Result<Tensor> {
        let edits = vectors::edits(parameters, Tower::Image, self.config.mode);
        host.encode_image(batch, &edits)
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
                Ok((loss + (distance * self.config.weight)?)?)
            }
            None => Ok(loss),
        }
    }
}
