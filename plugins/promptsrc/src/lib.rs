//! PromptSRC: self-regulating prompts (Khattak et al., arXiv 2307.06948).
//!
//! Independent prompts in both towers, regularised towards the frozen backbone's text
//! features, image features and predictions, and averaged over the epochs with Gaussian
//! weights.

mod config;
mod templates;

use harness_sdk::{
    Batch, Card, Error, Forward, Host, Method, Parameter, Parameters, Recipe, Result, Tensor,
    TowerPrompts, TowerPromptsShape, export_plugin, ops,
    wire::{DataNeed, Ensemble, Family, Role, Setting, Site},
};

pub use config::Config;

/// PromptSRC for one backbone.
pub struct PromptSrc {
    config: Config,
    prompts: TowerPrompts,
    /// The source's normalised text features `[C, E]`; none on a target.
    teacher: Option<Tensor>,
}

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

/// Mean of the absolute differences.
fn distance(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    Ok((a - b.detach())?.abs()?.mean_all()?)
}

impl Method for PromptSrc {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "promptsrc",
            title: "PromptSRC: self-regulating prompts",
            paper: "arXiv 2307.06948",
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
                "only the prompts are averaged over epochs, in f32; the reference averages the whole model in f16",
                "defaults are its base-to-new setting; its few-shot setting is 50 epochs with average 30/30 or 45/5",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on random crops of 8 to 100 % of the area, flipped half of the time",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            lr: 2.5e-3,
            epochs: 20,
            batch: 4,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        config.check()?;
        config.shape().parameters(setting)
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        let teacher = match host.setting().role {
            Role::Source => {
                let templates = config.teacher_templates();
                let mean = host.class_features(&templates, Ensemble::RawMean)?;
                Some(ops::normalize(&mean)?)
            }
            Role::Target => None,
        };
        Ok(Self {
            prompts: TowerPrompts::new(host, config.shape())?,
            config: config.clone(),
            teacher,
        })
    }

    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        self.prompts.classifier(host, parameters)
    }

    fn images(&self, host: &Host, parameters: &Parameters, batch: &Batch) -> Result<Tensor> {
        self.prompts.images(host, parameters, batch)
    }

    /// CE + w_t mean|t - t_zs| + w_f mean|f - f_zs| + w_p Σ KL(p_zs ‖ p) / (B C), with
    /// normalised features.
    fn loss(
        &self,
        host: &Host,
        _parameters: &Parameters,
        batch: &Batch,
        forward: &Forward,
    ) -> Result<Tensor> {
        let Some(teacher) = &self.teacher else {
            return Err(Error::Config(
                "promptsrc can only be trained on a source".into(),
            ));
        };
        let loss = ops::cross_entropy(&forward.logits, batch.labels()?)?;
        let text_distance = distance(&ops::normalize(&forward.classifier)?, teacher)?;
        let frozen = ops::normalize(&batch.frozen_features(host)?)?;
        let image_distance = distance(&ops::normalize(&batch.features(host)?)?, &frozen)?;
        let zero_shot = (frozen.matmul(&teacher.t()?)? * host.logit_scale())?;
        // `distillation` averages over the batch, the reference also over the classes.
        let classes = host.classes() as f64;
        let logit_kl = (ops::distillation(&forward.logits, &zero_shot, 1.0)? / classes)?;
        let loss = (loss + (text_distance * self.config.text_weight)?)?;
        let loss = (loss + (image_distance * self.config.image_weight)?)?;
        Ok((loss + (logit_kl * self.config.logit_weight)?)?)
    }

    fn epoch_weights(&self, epochs: usize) -> Option<Vec<f64>> {
        let average = self.config.average.as_ref()?;
        Some(average.weights(epochs))
    }
}

export_plugin!(PromptSrc);
