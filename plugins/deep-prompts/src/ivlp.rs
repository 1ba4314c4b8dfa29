//! IVLP: learned tokens in both towers, neither knowing of the other.

use harness_sdk::{
    Batch, Bench, Card, Method, Parameter, Parameters, Recipe, Result, Tensor, TowerPrompts,
    TowerPromptsShape,
    wire::{DataNeed, Family, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of IVLP.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Learned tokens in a text block; the first words of `init` at the input.
    text_tokens: usize,
    /// Learned tokens in an image block.
    image_tokens: usize,
    /// Blocks of each tower with tokens of their own. Never more than there are.
    depth: usize,
    /// Words before the class name; those that are not learned stay.
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

/// The method.
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
            needs: &[
                "ctx, text1, … text11 [text_tokens, text.width]",
                "tokens, image1, … image11 [image_tokens, image.width]",
            ],
            data: DataNeed::Pixels,
            carried: &["ctx", "textN", "tokens", "imageN"],
            recomputed: &["token ids and embeddings of the class names"],
            deviations: &["parameters are f32; the reference trains in f16"],
        }
    }

    fn recipe(_config: &Config) -> Recipe {
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

    fn prepare(config: &Config, bench: &Bench) -> Result<Self> {
        Ok(Self(TowerPrompts::new(bench, config.shape())?))
    }

    fn classifier(&self, bench: &Bench, parameters: &Parameters) -> Result<Option<Tensor>> {
        Ok(Some(self.0.classifier(bench, parameters)?))
    }

    fn images(
        &self,
        bench: &Bench,
        parameters: &Parameters,
        batch: &Batch,
    ) -> Result<Option<Tensor>> {
        Ok(Some(self.0.images(bench, parameters, batch)?))
    }
}
