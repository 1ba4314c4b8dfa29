//! PromptSRC: self-regulating prompts (Khattak et al., arXiv 2307.06948).
//!
//! Independent prompts in both towers, held near what the frozen backbone says of text,
//! images and their match, and averaged over the epochs with Gaussian weights.

mod config;
mod templates;

use harness_sdk::{
    Batch, Bench, Card, Error, Forward, Method, Parameter, Parameters, Recipe, Result, Tensor,
    TowerPrompts, TowerPromptsShape, export_plugin, ops,
    wire::{DataNeed, Ensemble, Family, Role, Setting, Site},
};

pub use config::Config;

/// The method.
pub struct PromptSrc {
    config: Config,
    prompts: TowerPrompts,
    /// The source's text features `[C, E]`, normalised; not needed on a target.
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
            needs: &[
                "ctx, text1, … text8 [text_tokens, text.width]",
                "tokens, image1, … image8 [image_tokens, image.width]",
            ],
            data: DataNeed::Pixels,
            carried: &["ctx", "textN", "tokens", "imageN"],
            recomputed: &["token ids and embeddings of the class names"],
            deviations: &[
                "the average over epochs covers the prompts alone, in f32; the reference averages its whole f16 model",
                "defaults are its base-to-new setting; its few-shot setting is epochs 50 with average 30/30 or 45/5",
            ],
        }
    }

    fn recipe(_config: &Config) -> Recipe {
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

    fn prepare(config: &Config, bench: &Bench) -> Result<Self> {
        let teacher = match bench.setting().role {
            Role::Source => {
                let templates = config.teacher_templates();
                let mean = bench.class_features(&templates, Ensemble::RawMean)?;
                Some(ops::normalize(&mean)?)
            }
            Role::Target => None,
        };
        Ok(Self {
            prompts: TowerPrompts::new(bench, config.shape())?,
            config: config.clone(),
            teacher,
        })
    }

    fn classifier(&self, bench: &Bench, parameters: &Parameters) -> Result<Option<Tensor>> {
        Ok(Some(self.prompts.classifier(bench, parameters)?))
    }

    fn images(
        &self,
        bench: &Bench,
        parameters: &Parameters,
        batch: &Batch,
    ) -> Result<Option<Tensor>> {
        Ok(Some(self.prompts.images(bench, parameters, batch)?))
    }

    /// CE + w_t mean|t - t_zs| + w_f mean|f - f_zs| + Σ KL(p_zs ‖ p) / (B C), all
    /// features normalised.
    fn loss(&self, bench: &Bench, batch: &Batch, forward: &Forward) -> Result<Tensor> {
        let (Some(text), Some(teacher)) = (&forward.classifier, &self.teacher) else {
            return Err(Error::Config(
                "promptsrc is trained on a source, where it has its teacher".into(),
            ));
        };
        let loss = ops::cross_entropy(&forward.logits, batch.labels()?)?;
        let near_text = distance(&ops::normalize(text)?, teacher)?;
        let frozen = ops::normalize(&batch.frozen_features(bench)?)?;
        let near_image = distance(&ops::normalize(&batch.features(bench)?)?, &frozen)?;
        let zero_shot = (frozen.matmul(&teacher.t()?)? * bench.logit_scale())?;
        // The mean over the batch, once more over the classes.
        let classes = bench.classes() as f64;
        let match_kl = (ops::distillation(&forward.logits, &zero_shot, 1.0)? / classes)?;
        let loss = (loss + (near_text * self.config.text_weight)?)?;
        let loss = (loss + (near_image * self.config.image_weight)?)?;
        Ok((loss + (match_kl * self.config.logit_weight)?)?)
    }

    fn epoch_weights(&self, epochs: usize) -> Option<Vec<f64>> {
        let average = self.config.average.as_ref()?;
        Some(average.weights(epochs))
    }
}

export_plugin!(PromptSrc);
