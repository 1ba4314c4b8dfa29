//! MaPLe: multi-modal prompt learning (Khattak et al., arXiv 2210.03117).
//!
//! Learned text tokens at the input and in the first blocks; linear maps derive the image
//! tokens from them, so that the prompts of both towers are coupled.

use harness_sdk::{
    Batch, Card, Error, Host, Init, Method, Parameter, Parameters, Recipe, Result, Tensor,
    deep::{DeepTextPrompts, encode_deep_images, layer_names, prompted_blocks},
    export_plugin,
    wire::{DataNeed, Family, Setting, Site, Tower},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of MaPLe.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// n, the learned tokens per block; at the input they replace the first words of `init`.
    tokens: usize,
    /// Blocks of both towers with their own tokens, at most all.
    depth: usize,
    /// Words before the class name; those not replaced stay.
    init: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tokens: 2,
            depth: 9,
            init: "a photo of a".to_owned(),
        }
    }
}

impl Config {
    /// Blocks with tokens, limited by the shallower tower.
    fn depth(&self, setting: &Setting) -> usize {
        let text = prompted_blocks(setting, Tower::Text, self.depth);
        prompted_blocks(setting, Tower::Image, text)
    }
}

/// MaPLe for one backbone.
pub struct MaPle {
    prompts: DeepTextPrompts,
    /// `ctx`, `text1`, …
    text: Vec<String>,
}

impl Method for MaPle {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "maple",
            title: "MaPLe: multi-modal prompt learning",
            paper: "arXiv 2210.03117",
            family: Family::Deep,
            depth: "text block 8, image block 8",
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
        if config.depth == 0 {
            return Err(Error::Config("depth must be at least 1".into()));
        }
        let depth = config.depth(setting);
        let names = layer_names("ctx", "text", depth);
        let mut parameters =
            DeepTextPrompts::parameters(setting, &config.init, config.tokens, &names)?;
        let (d, v) = (setting.backbone.text.width, setting.backbone.image.width);
        let bound = 1.0 / (d as f64).sqrt();
        for layer in 0..depth {
            for (kind, shape) in [("w", vec![v, d]), ("b", vec![v])] {
                // As in the reference, all deeper maps start as copies of one.
                let init = match layer {
                    0 | 1 => Init::Uniform { bound },
                    _ => Init::CopyOf(format!("proj1.{kind}")),
                };
                parameters.push(Parameter::new(&format!("proj{layer}.{kind}"), &shape, init));
            }
        }
        Ok(parameters)
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self {
            prompts: DeepTextPrompts::new(host, &config.init, config.tokens)?,
            text: layer_names("ctx", "text", config.depth(host.setting())),
        })
    }

    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        let layers = parameters.get_all(&self.text)?;
        self.prompts.encode(host, &layers)
    }

    fn images(&self, host: &Host, parameters: &Parameters, batch: &Batch) -> Result<Tensor> {
        let mut layers = vec![];
        for (layer, text) in parameters.get_all(&self.text)?.into_iter().enumerate() {
            let w = parameters.get(&format!("proj{layer}.w"))?;
            let b = parameters.get(&format!("proj{layer}.b"))?;
            layers.push(text.matmul(&w.t()?)?.broadcast_add(b)?);
        }
        let layers: Vec<&Tensor> = layers.iter().collect();
        encode_deep_images(host, batch, &layers)
    }
}

export_plugin!(MaPle);
