//! CLIPFit: the biases that end the text tower's MLPs, and every LayerNorm of the
//! image tower; text features are held near zero-shot, as in KgCoOp:
//! L = L_ce + w (1 - mean_c cos(t_c, t_zs,c)).

use harness_sdk::{
    Batch, Bench, Card, Error, Forward, Method, Parameter, Parameters, Prompts, Recipe, Result,
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
    /// What becomes of the target's own values.
    mode: Mode,
    /// What the text tower reads; `{}` is the class name.
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

/// The method.
pub struct ClipFit {
    config: Config,
    prompts: Vec<Vec<u32>>,
    /// The source's zero-shot text features `[C, E]`; not needed on a target.
    teacher: Option<Tensor>,
}

/// Whether CLIPFit trains a vector.
fn wanted(parameter: &NamedParameter) -> bool {
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
            title: "CLIPFit: some biases of the text tower, LayerNorms of the image tower",
            paper: "arXiv 2409.16718",
            family: Family::Weights,
            depth: "MLP biases of every text block, LayerNorms of every image block",
            sites: &[Site::Bias],
            needs: &[
                "text.blocks.N.mlp.proj.bias [text.width]",
                "image.NAME for gain and bias of every LayerNorm, in its own shape",
            ],
            data: DataNeed::Pixels,
            carried: &["the biases and gains"],
            recomputed: &["token ids of the class names"],
            deviations: &["what has no counterpart in a target's image tower is left out there"],
        }
    }

    fn recipe(_config: &Config) -> Recipe {
        Recipe {
            epochs: 100,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        let weight_fits = config.weight >= 0.0 && config.weight.is_finite();
        if !weight_fits || !config.template.contains("{}") {
            return Err(Error::Config(
                "weight must not be negative, and the template must contain {}".into(),
            ));
        }
        vectors::parameters(setting, config.mode, wanted)
    }

    fn prepare(config: &Config, bench: &Bench) -> Result<Self> {
        Ok(Self {
            prompts: bench.class_prompts(&config.template)?,
            config: config.clone(),
            teacher: match bench.setting().role {
                Role::Source => Some(bench.zero_shot()?),
                Role::Target => None,
            },
        })
    }

    fn classifier(&self, bench: &Bench, parameters: &Parameters) -> Result<Option<Tensor>> {
        let edits = vectors::edits(parameters, Tower::Text, self.config.mode);
        let prompts = Prompts::new(self.prompts.len()).class_tokens(&self.prompts);
        Ok(Some(prompts.edited(&edits).encode(bench)?.squeeze(0)?))
    }

    fn images(
        &self,
        bench: &Bench,
        parameters: &Parameters,
        batch: &Batch,
    ) -> Result<Option<Tensor>> {
        let edits = vectors::edits(parameters, Tower::Image, self.config.mode);
        Ok(Some(bench.encode_image(batch, &edits)?))
    }

    fn loss(&self, _bench: &Bench, batch: &Batch, forward: &Forward) -> Result<Tensor> {
        let loss = ops::cross_entropy(&forward.logits, batch.labels()?)?;
        match (&forward.classifier, &self.teacher) {
            (Some(features), Some(teacher)) => {
                let distance = ops::cosine_distance(features, teacher)?;
                Ok((loss + (distance * self.config.weight)?)?)
            }
            _ => Ok(loss),
        }
    }
}
