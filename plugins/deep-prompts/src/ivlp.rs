//! IVLP: learned tokens in both towers, neither knowing of the other.

use harness_sdk::{
    Batch, Bench, Card, Error, Method, Parameter, Parameters, Recipe, Result, Tensor,
    deep::{DeepText, deep_images, layer_names, prompt_parameters, prompted_blocks},
    wire::{DataNeed, Family, Setting, Site, Tower},
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
pub struct Ivlp {
    prompts: DeepText,
    text: Vec<String>,
    image: Vec<String>,
}

impl Config {
    fn names(&self, setting: &Setting) -> (Vec<String>, Vec<String>) {
        let depth = |tower| prompted_blocks(setting, tower, self.depth);
        (
            layer_names("ctx", "text", depth(Tower::Text)),
            layer_names("tokens", "image", depth(Tower::Image)),
        )
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
        if config.depth == 0 {
            return Err(Error::Config("depth must be at least 1".into()));
        }
        let (text, image) = config.names(setting);
        let tokens = |tower, count, names: &[String]| {
            prompt_parameters(setting, tower, count, names.iter().map(String::as_str))
        };
        let mut parameters = tokens(Tower::Text, config.text_tokens, &text)?;
        let init = DeepText::init(&config.init, config.text_tokens);
        parameters[0] = parameters[0].clone().beginning(init);
        parameters.extend(tokens(Tower::Image, config.image_tokens, &image)?);
        Ok(parameters)
    }

    fn prepare(config: &Config, bench: &Bench) -> Result<Self> {
        let (text, image) = config.names(bench.setting());
        Ok(Self {
            prompts: DeepText::new(bench, &config.init, config.text_tokens)?,
            text,
            image,
        })
    }

    fn classifier(&self, bench: &Bench, parameters: &Parameters) -> Result<Option<Tensor>> {
        let layers = parameters.all(&self.text)?;
        Ok(Some(self.prompts.encode(bench, &layers)?))
    }

    fn images(
        &self,
        bench: &Bench,
        parameters: &Parameters,
        batch: &Batch,
    ) -> Result<Option<Tensor>> {
        let layers = parameters.all(&self.image)?;
        Ok(Some(deep_images(bench, batch, &layers)?))
    }
}
