//! BitFit: trains only the biases.

use harness_sdk::{
    Batch, Card, Error, Host, Method, OptimizerKind, Parameter, Parameters, Prompts, Recipe,
    Result, Tensor,
    wire::{DataNeed, Family, Setting, Site, Tower},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::vectors::{self, Mode};

/// Configuration of BitFit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The towers whose biases are trained, including those of LayerNorms.
    towers: Towers,
    /// Whether the target's own biases are replaced or added to.
    mode: Mode,
    /// Prompt template; `{}` is the class name.
    template: String,
}

/// The towers whose biases are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Towers {
    Text,
    Image,
    Both,
}

impl Towers {
    fn includes(self, tower: Tower) -> bool {
        match tower {
            Tower::Text => self != Self::Image,
            Tower::Image => self != Self::Text,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            towers: Towers::Text,
            mode: Mode::Replace,
            template: "a photo of a {}.".to_owned(),
        }
    }
}

/// BitFit for one backbone.
pub struct BitFit {
    config: Config,
    prompts: Vec<Vec<u32>>,
}

impl Method for BitFit {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "bitfit",
            title: "BitFit: biases of the text tower, or of both towers",
            paper: "arXiv 2106.10199",
            family: Family::Weights,
            depth: "biases of every text block",
            sites: &[Site::Bias],
            data: DataNeed::Features,
            recomputed: &["token ids of the class names"],
            deviations: &[
                "the paper does not cover CLIP: recipe of our own (AdamW at 1e-3, 50 epochs, no weight decay), no trained head",
                "biases without a counterpart in the target's image tower are left out",
                "training images are single unaugmented views unless the suite's `images` says otherwise",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            optimizer: OptimizerKind::AdamW,
            lr: 1e-3,
            // Decay would pull replaced biases towards 0 and deltas towards the source's biases.
            weight_decay: 0.0,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        if !config.template.contains("{}") {
            return Err(Error::Config("template must contain {}".into()));
        }
        vectors::parameters(setting, config.mode, |p| {
            p.name.ends_with(".bias") && config.towers.includes(p.tower)
        })
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self {
            prompts: host.class_prompts(&config.template)?,
            config: config.clone(),
        })
    }

    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        let edits = vectors::edits(parameters, Tower::Text, self.config.mode);
        let prompts = Prompts::new(self.prompts.len()).class_tokens(&self.prompts);
        Ok(prompts.with_edits(&edits).encode(host)?.squeeze(0)?)
    }

    fn images(&self, host: &Host, parameters: &Parameters, batch: &Batch) -> Result<Tensor> {
        if !self.config.towers.includes(Tower::Image) {
            return batch.frozen_features(host);
        }
        let edits = vectors::edits(parameters, Tower::Image, self.config.mode);
        host.encode_image(batch, &edits)
    }
}
