//! Deep language prompting: only the text side of independent vision-language prompting
//! (Khattak et al., arXiv 2210.03117).
//!
//! A learned context at the text input, replaced by other learned tokens at the input of
//! each deeper text block. Loss: cross entropy.

use harness_sdk::{
    Card, ClassPrompts, Context, Error, Host, Init, Method, Parameter, Parameters, Recipe, Result,
    Tensor, export_plugin,
    wire::{BackboneFacts, DataNeed, Family, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of deep language prompting.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The context at the text input; `context.layer` must be 0.
    context: Context,
    /// Text blocks with learned tokens, including the input; `null` for all.
    depth: Option<usize>,
}

impl Config {
    fn depth(&self, backbone: &BackboneFacts) -> Result<usize> {
        let layers = backbone.text.layers;
        match self.depth.unwrap_or(layers) {
            0 => Err(Error::Config("depth must be at least 1".into())),
            depth if depth > layers => Err(Error::NotInjectable(format!(
                "needs {depth} text blocks, {} has {layers}",
                backbone.name
            ))),
            depth => Ok(depth),
        }
    }
}

/// Deep language prompting for one backbone.
pub struct DeepLanguage {
    prompts: ClassPrompts,
    depth: usize,
}

impl Method for DeepLanguage {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "deep-language",
            title: "Deep language prompting",
            paper: "arXiv 2210.03117",
            family: Family::Deep,
            depth: "all text blocks",
            sites: &[Site::TextInput, Site::TextBlock],
            data: DataNeed::Features,
            recomputed: &["token ids and embeddings of the class names"],
            deviations: &[
                "every text block has learned tokens; the reference has a depth of 12, which is every block of CLIP's",
                "parameters are f32; the reference trains in f16",
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
        config.context.require_input()?;
        let mut parameters = vec![config.context.parameter("ctx", setting, false)?];
        let shape = [config.context.length, setting.backbone.text.width];
        for layer in 1..config.depth(&setting.backbone)? {
            let init = Init::Normal { std: 0.02 };
            parameters.push(Parameter::new(&format!("layer{layer}"), &shape, init));
        }
        Ok(parameters)
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self {
            prompts: config.context.prompts(host)?,
            depth: config.depth(&host.setting().backbone)?,
        })
    }

    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        let mut prompts = self.prompts.with_context(parameters.get("ctx")?)?;
        for layer in 1..self.depth {
            let tokens = parameters.get(&format!("layer{layer}"))?;
            prompts = prompts.replace(layer, 1, tokens)?;
        }
        Ok(prompts.encode(host)?.squeeze(0)?)
    }
}

export_plugin!(DeepLanguage);
