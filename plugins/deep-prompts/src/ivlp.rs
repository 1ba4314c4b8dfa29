//! IVLP: independent learned tokens in both towers.

use harness_sdk::{
    Batch, Card, Host, Method, Parameter, Parameters, Recipe, Result, Tensor, TowerPrompts,
    TowerPromptsShape,
    wire::{DataNeed, Family, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of IVLP.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Learned tokens per text block; at the input they replace the first words of `init`.
    text_tokens: usize,
    /// Learned tokens per image block.
    image_tokens: usize,
    /// Blocks of each tower with their own tokens, at most all.
    depth: usize,
    /// Words before the class name; those not replaced stay.
    init: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            text_tokens: 2,
            image_tokens: 2,
            depth: 12,
            init: "a photo of a".to_owned(),
        }
    }
}

/// IVLP for one backbone.
pub struct Ivlp(TowerPrompts);

impl Config {
    fn shape(&self) -> TowerPromptsShape<'_> {
        TowerPromptsShape {
            text_tokens: self.text_tokens,
            image_tokens: self.image_tokens,
            depth: self.depth,
            init: &self.init,
        }
    }
}

impl Method for Ivlp {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "ivlp",
            title: "IVLP: independent vision-language prompting",
            paper: "arXiv 2210.03117, section 3 and its code",
            family: Family::Deep,
            depth: "text block 11, image block 11",
            sites: &[
                Site::TextInput,
                Site::TextBlock,
                Site::ImageInput,
                Site::ImageBlock,
            ],
            data: DataNeed::Pixels,
            recomputed: &["token ids and embeddings of the class names"],
            deviations: &[
                "parameters are f32; the reference trains in f16",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on random crops of 8 to 100 % of the area, flipped half of the time",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            lr: 3.5e-3,
            epochs: 5,
            batch: 4,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        config.shape().parameters(setting)
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self(TowerPrompts::new(host, config.shape())?))
    }

    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        self.0.classifier(host, parameters)
    }

    fn images(&self, host: &Host, parameters: &Parameters, batch: &Batch) -> Result<Tensor> {
        self.0.images(host, parameters, batch)
    }
}
