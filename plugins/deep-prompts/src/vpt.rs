//! VPT: learned tokens beside the patches, in one block or several.
//!
//! Tokens are appended at the image input and, in deep VPT, replaced by other learned
//! tokens at the input of each further block. The prompt is a fixed template.

use harness_sdk::{
    Batch, Card, Error, Host, Method, Parameter, Parameters, Recipe, Result, Tensor,
    deep::{encode_deep_images, layer_names, prompt_parameters, prompted_blocks},
    wire::{DataNeed, Ensemble, Family, Setting, Site, Tower},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of VPT.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// n, the number of learned tokens per block.
    tokens: usize,
    /// Blocks with their own tokens, at most all; 1 is shallow VPT.
    depth: usize,
    /// Prompt template; `{}` is the class name.
    template: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tokens: 8,
            depth: 12,
            template: "a photo of a {}.".to_owned(),
        }
    }
}

/// VPT for one backbone.
pub struct Vpt {
    names: Vec<String>,
    /// Text features `[C, E]` of the template.
    classifier: Tensor,
}

impl Method for Vpt {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "vpt",
            title: "VPT: visual prompt tuning",
            paper: "arXiv 2203.12119",
            family: Family::Deep,
            depth: "image block 11",
            sites: &[Site::ImageInput, Site::ImageBlock],
            data: DataNeed::Pixels,
            recomputed: &["text features of the template"],
            deviations: &[
                "recipe and token positions (after the patches) are those of the VPT baseline in MaPLe's code",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on random crops of 8 to 100 % of the area, flipped half of the time",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            lr: 2.5e-3,
            epochs: 5,
            batch: 4,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        if config.depth == 0 || !config.template.contains("{}") {
            return Err(Error::Config(
                "depth must be at least 1; template must contain {}".into(),
            ));
        }
        let depth = prompted_blocks(setting, Tower::Image, config.depth);
        let names = layer_names("tokens", "layer", depth);
        let names = names.iter().map(String::as_str);
        prompt_parameters(setting, Tower::Image, config.tokens, names)
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        let depth = prompted_blocks(host.setting(), Tower::Image, config.depth);
        let template = std::slice::from_ref(&config.template);
        Ok(Self {
            names: layer_names("tokens", "layer", depth),
            classifier: host.class_features(template, Ensemble::NormalisedMean)?,
        })
    }

    fn classifier(&self, _host: &Host, _parameters: &Parameters) -> Result<Tensor> {
        Ok(self.classifier.clone())
    }

    fn images(&self, host: &Host, parameters: &Parameters, batch: &Batch) -> Result<Tensor> {
        let layers = parameters.get_all(&self.names)?;
        encode_deep_images(host, batch, &layers)
    }
}
