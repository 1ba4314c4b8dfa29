//! PromptSRC: self-regulating prompts (Khattak et al., arXiv 2307.06948).
//!
//! Independent prompts in both towers, held near what the frozen backbone says of text,
//! images and their match, and averaged over the epochs with Gaussian weights.

mod config;
mod templates;

use harness_sdk::{
    Batch, Bench, Card, Error, Forward, Method, Parameter, Parameters, Recipe, Result, Tensor,
    deep::{DeepText, deep_images, layer_names, prompt_parameters, prompted_blocks},
    export_plugin, ops,
    wire::{DataNeed, Ensemble, Family, Role, Setting, Site, Tower},
};

pub use config::Config;

/// The method.
pub struct PromptSrc {
    config: Config,
    prompts: DeepText,
    text: Vec<String>,
    image: Vec<String>,
    /// The source's text features `[C, E]`, normalised; not needed on a target.
    teacher: Option<Tensor>,
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
        let teacher = match bench.setting().role {
            Role::Source => {
                let templates = config.teacher_templates();
                let mean = bench.class_features(&templates, Ensemble::RawMean)?;
                Some(ops::normalize(&mean)?)
            }
            Role::Target => None,
        };
        let (text, image) = config.names(bench.setting());
        Ok(Self {
            prompts: DeepText::new(bench, &config.init, config.text_tokens)?,
            config: config.clone(),
            text,
            image,
            teacher,
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
