//! TCP: textual-based class-aware prompt tuning (Yao et al., arXiv 2311.18231).
//!
//! A learned context at the text input, replaced at the input of a deeper text block by
//! tokens that a network derives from each class's zero-shot text feature.
//! Loss: cross entropy + w (1 - mean_c cos(t_c, t_zs,c)).

mod class_tokens;
mod config;

use harness_sdk::{
    Batch, Card, ClassPrompts, Forward, Host, Method, OptimizerKind, Parameter, Parameters, Recipe,
    Result, Tensor, export_plugin, ops,
    wire::{DataNeed, Family, Setting, Site},
};

pub use config::Config;

/// TCP for one backbone.
pub struct Tcp {
    prompts: ClassPrompts,
    /// Zero-shot text features `[C, E]` of the host's backbone.
    zero_shot: Tensor,
    /// The text block at whose input the class tokens enter.
    layer: usize,
    weight: f64,
}

impl Method for Tcp {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "tcp",
            title: "TCP: textual-based class-aware prompt tuning",
            paper: "arXiv 2311.18231",
            family: Family::Deep,
            depth: "text block at 2/3 of the depth",
            sites: &[Site::TextInput, Site::TextBlock],
            data: DataNeed::Features,
            recomputed: &[
                "zero-shot text features, the input of the class tokens",
                "token ids and embeddings of the class names",
            ],
            deviations: &[
                "the class tokens enter at 2/3 of the depth; the reference supports only block 8 of 12",
                "`suffix`, the text after the class name, is a period by default; the reference has words of its own for most data sets",
                "parameters are f32; the reference trains in f16 with an eps of 1e-3, which is kept",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on random crops of 8 to 100 % of the area, flipped half of the time",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            optimizer: OptimizerKind::Adam,
            eps: 1e-3,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        config.check()?;
        config.layer(&setting.backbone)?;
        let mut parameters = vec![config.context.parameter("ctx", setting, false)?];
        parameters.extend(class_tokens::parameters(
            config.context.length,
            &setting.backbone,
        ));
        Ok(parameters)
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self {
            prompts: config.context.prompts_with_suffix(host, &config.suffix)?,
            zero_shot: host.zero_shot()?,
            layer: config.layer(&host.setting().backbone)?,
            weight: config.weight,
        })
    }

    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        let context = parameters.get("ctx")?;
        let tokens = class_tokens::forward(&self.zero_shot, context.dims2()?, parameters)?;
        let prompts = self.prompts.with_context(context)?;
        let features = prompts.replace(self.layer, 1, &tokens)?.encode(host)?;
        Ok(features.squeeze(0)?)
    }

    fn loss(
        &self,
        _host: &Host,
        _parameters: &Parameters,
        batch: &Batch,
        forward: &Forward,
    ) -> Result<Tensor> {
        let loss = ops::cross_entropy(&forward.logits, batch.labels()?)?;
        let distance = ops::cosine_distance(&forward.classifier, &self.zero_shot)?;
        Ok((loss + (distance * self.weight)?)?)
    }
}

export_plugin!(Tcp);
