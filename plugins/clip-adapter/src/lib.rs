//! CLIP-Adapter (Gao et al., arXiv 2110.04544).
//!
//! A bottleneck of two linear layers on the image feature, mixed with the original:
//! f' = r A(f) + (1 - r) f, A(f) = ReLU(W2 ReLU(W1 f)). The text side is the
//! zero-shot classifier of the host's backbone.

use harness_sdk::{
    Batch, Card, Error, Host, Init, Method, Parameter, Parameters, Result, Tensor, export_plugin,
    ops,
    wire::{DataNeed, Family, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of CLIP-Adapter.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// r, the weight of the adapted feature.
    ratio: f64,
    /// Reduction factor of the bottleneck.
    #[schemars(range(min = 1))]
    reduction: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ratio: 0.2,
            reduction: 4,
        }
    }
}

/// CLIP-Adapter for one backbone.
pub struct ClipAdapter {
    ratio: f64,
    /// The zero-shot classifier `[C, E]`.
    text: Tensor,
}

impl Method for ClipAdapter {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "clip-adapter",
            title: "CLIP-Adapter: a bottleneck on the image feature",
            paper: "arXiv 2110.04544",
            family: Family::Features,
            depth: "image feature",
            sites: &[Site::ImageFeature],
            data: DataNeed::Features,
            recomputed: &["the zero-shot classifier"],
            deviations: &[
                "the reference has no training configuration; optimizer, learning rate, schedule and batch size are those of CoOp, which it builds on",
                "training images are single unaugmented views unless the suite's `images` says otherwise",
            ],
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        if !(0.0..=1.0).contains(&config.ratio) {
            return Err(Error::Config(format!(
                "ratio must be in [0, 1], found {}",
                config.ratio
            )));
        }
        let embed = setting.backbone.embed_dim;
        let hidden = match embed.checked_div(config.reduction) {
            Some(hidden) if hidden > 0 => hidden,
            _ => {
                return Err(Error::NotInjectable(format!(
                    "a reduction of {} leaves no bottleneck for features of dimension {embed}",
                    config.reduction
                )));
            }
        };
        let layer = |name: &str, inputs: usize, outputs: usize| {
            let bound = (inputs as f64).powf(-0.5);
            Parameter::new(name, &[outputs, inputs], Init::Uniform { bound })
        };
        Ok(vec![layer("w1", embed, hidden), layer("w2", hidden, embed)])
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self {
            ratio: config.ratio,
            text: host.zero_shot()?,
        })
    }

    fn logits(
        &self,
        host: &Host,
        parameters: &Parameters,
        batch: &Batch,
        _classifier: &Tensor,
    ) -> Result<Tensor> {
        let image = batch.features(host)?;
        let hidden = ops::linear(&image, parameters.get("w1")?, None)?.relu()?;
        let adapted = ops::linear(&hidden, parameters.get("w2")?, None)?.relu()?;
        let image = ((adapted * self.ratio)? + (image * (1.0 - self.ratio))?)?;
        ops::cosine_logits(&image, &self.text, host.logit_scale())
    }
}

export_plugin!(ClipAdapter);
