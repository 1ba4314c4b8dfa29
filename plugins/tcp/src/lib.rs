//! TCP: textual-based class-aware prompt tuning (Yao et al., arXiv 2311.18231).
//!
//! Learned context at the text input, and tokens of each class, made from its
//! zero-shot text feature, that replace the context's places at the input of a
//! deeper text block. Loss: cross entropy + w (1 - mean_c cos(t_c, t_zs,c)).

mod class_tokens;
mod config;

use harness_sdk::{
    Batch, Bench, Card, ClassPrompts, Forward, Method, OptimizerKind, Parameter, Parameters,
    Recipe, Result, Tensor, export_plugin, ops,
    wire::{DataNeed, Family, Setting, Site},
};

pub use config::Config;

/// The method.
pub struct Tcp {
    prompts: ClassPrompts,
    /// Zero-shot text features `[C, E]` of the backbone at hand.
    zero_shot: Tensor,
    /// The text block whose input holds the class tokens.
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
            depth: "text block 2/3 of the way up",
            sites: &[Site::TextInput, Site::TextBlock],
            needs: &[
                "ctx [M, text.width]",
                "w1 [embed_dim / 4, embed_dim], b1 [embed_dim / 4]",
                "w2 [M · text.width, embed_dim / 4], b2 [M · text.width]",
            ],
            data: DataNeed::Features,
            carried: &["ctx", "w1", "b1", "w2", "b2"],
            recomputed: &[
                "zero-shot text features, of which the class tokens are made",
                "token ids and embeddings of the class names",
            ],
            deviations: &[
                "the class tokens enter at 2/3 of the depth: block 8 of 12 as in the reference, which knows no other depth",
                "words of a template after the class name are left out; the reference keeps them",
                "parameters are f32, the reference trains them in f16; its eps of 1e-3, chosen for that, is kept as part of its recipe",
            ],
        }
    }

    fn recipe(_config: &Config) -> Recipe {
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

    fn prepare(config: &Config, bench: &Bench) -> Result<Self> {
        Ok(Self {
            prompts: config.context.prompts(bench)?,
            zero_shot: bench.zero_shot()?,
            layer: config.layer(&bench.setting().backbone)?,
            weight: config.weight,
        })
    }

    fn classifier(&self, bench: &Bench, parameters: &Parameters) -> Result<Option<Tensor>> {
        let context = parameters.get("ctx")?;
        let tokens = class_tokens::forward(&self.zero_shot, context.dims2()?, parameters)?;
        let prompts = self.prompts.with(context)?;
        let features = prompts.replace(self.layer, 1, &tokens)?.encode(bench)?;
        Ok(Some(features.squeeze(0)?))
    }

    fn loss(&self, _bench: &Bench, batch: &Batch, forward: &Forward) -> Result<Tensor> {
        let loss = ops::cross_entropy(&forward.logits, batch.labels()?)?;
        match &forward.classifier {
            Some(features) => {
                let distance = ops::cosine_distance(features, &self.zero_shot)?;
                Ok((loss + (distance * self.weight)?)?)
            }
            None => Ok(loss),
        }
    }
}

export_plugin!(Tcp);
