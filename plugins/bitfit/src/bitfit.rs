//! BitFit: nothing is trained but biases.

use harness_sdk::{
    Batch, Bench, Card, Error, Method, OptimizerKind, Parameter, Parameters, Prompts, Recipe,
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
    /// The towers whose biases are trained, those of LayerNorms included.
    towers: Towers,
    /// What becomes of the target's own biases.
    mode: Mode,
    /// What the text tower reads; `{}` is the class name.
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
    fn include(self, tower: Tower) -> bool {
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

/// The method.
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
            needs: &["text.NAME for every bias of the text tower, in its own shape"],
            data: DataNeed::Features,
            carried: &["the biases, or what training added to them"],
            recomputed: &["token ids of the class names"],
            deviations: &[
                "no CLIP reference exists: AdamW at 1e-3, 50 epochs, no weight decay, and no trained head",
                "what has no counterpart in a target's image tower is left out there",
            ],
        }
    }

    fn recipe(_config: &Config) -> Recipe {
        Recipe {
            optimizer: OptimizerKind::AdamW,
            lr: 1e-3,
            // Decay would pull biases that are replaced to 0, and deltas to the source's.
            weight_decay: 0.0,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        if !config.template.contains("{}") {
            return Err(Error::Config("the template must contain {}".into()));
        }
        vectors::parameters(setting, config.mode, |p| {
            p.name.ends_with(".bias") && config.towers.include(p.tower)
        })
    }

    fn prepare(config: &Config, bench: &Bench) -> Result<Self> {
        Ok(Self {
            prompts: bench.class_prompts(&config.template)?,
            config: config.clone(),
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
        if !self.config.towers.include(Tower::Image) {
            return Ok(None);
        }
        let edits = vectors::edits(parameters, Tower::Image, self.config.mode);
        Ok(Some(bench.encode_image(batch, &edits)?))
    }
}
