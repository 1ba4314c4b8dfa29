//! ProGrad: prompt-aligned gradient (Zhu et al., arXiv 2205.14865).
//!
//! CoOp whose steps do not contradict zero-shot predictions: where the gradient of the
//! cross entropy conflicts with that of distillation from the zero-shot classifier, its
//! component along the latter is removed.

use harness_sdk::{
    Batch, Card, ClassPrompts, Context, Error, Forward, Gradients, Host, Init, Method, Parameter,
    Parameters, Recipe, Result, Tensor, export_plugin, ops,
    wire::{DataNeed, Family, Role, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of ProGrad.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The learned context.
    context: Context,
    /// Share of the conflicting component that is removed; 0 is CoOp. The authors use 0.8
    /// for 8 and 16 shots of Oxford Flowers, DTD and EuroSAT.
    lambda: f64,
    /// Temperature of the distillation.
    temperature: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            context: Context {
                length: 16,
                ..Context::default()
            },
            lambda: 1.0,
            temperature: 1.0,
        }
    }
}

/// ProGrad for one backbone.
pub struct ProGrad {
    prompts: ClassPrompts,
    lambda: f64,
    temperature: f64,
    /// The source's zero-shot classifier `[C, E]`; none on a target.
    teacher: Option<Tensor>,
}

impl Method for ProGrad {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "prograd",
            title: "ProGrad: prompt-aligned gradient",
            paper: "arXiv 2205.14865",
            family: Family::Input,
            depth: "text input",
            sites: &[Site::TextInput],
            data: DataNeed::Features,
            recomputed: &["token ids and embeddings of the class names"],
            deviations: &[
                "the last positions are initialised with \"a photo of a\"; the reference reorders each data set's template (\"a type of pet, a photo of a\")",
                "if the second gradient is zero, the first is used; the reference gets the same from 0 / 0 because NaN compares false",
                "200 epochs, the reference's number for 8 and 16 shots; it uses fewer for fewer shots and for ImageNet",
                "parameters are f32; the reference trains in f16",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on random crops of 8 to 100 % of the area, flipped half of the time",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            epochs: 200,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        if !(config.lambda >= 0.0 && config.lambda.is_finite()) {
            return Err(Error::Config(format!(
                "lambda must not be negative, found {}",
                config.lambda
            )));
        }
        if !(config.temperature > 0.0 && config.temperature.is_finite()) {
            return Err(Error::Config(format!(
                "temperature must be positive, found {}",
                config.temperature
            )));
        }
        let ctx = config.context.parameter("ctx", setting, false)?;
        Ok(vec![match &config.context.init {
            Some(words) if config.context.layer == 0 => {
                ctx.with_init(Init::WordsAfterZeros(words.clone()))
            }
            _ => ctx,
        }])
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        let teacher = match host.setting().role {
            Role::Source => Some(host.zero_shot()?),
            Role::Target => None,
        };
        Ok(Self {
            prompts: config.context.prompts(host)?,
            lambda: config.lambda,
            temperature: config.temperature,
            teacher,
        })
    }

    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        let features = self.prompts.encode(host, parameters.get("ctx")?)?;
        Ok(features)
    }

    /// `g - lambda (g · b) b` if `g · b < 0`, with `b` the normalised gradient of the
    /// distillation.
    fn gradients(
        &self,
        host: &Host,
        parameters: &Parameters,
        batch: &Batch,
        forward: &Forward,
    ) -> Result<Gradients> {
        let gradients = Gradients::of_loss(self, host, parameters, batch, forward)?;
        let Some(teacher) = &self.teacher else {
            return Ok(gradients);
        };
        let teacher = ops::cosine_logits(&batch.features(host)?, teacher, host.logit_scale())?;
        let distillation = ops::distillation(&forward.logits, &teacher, self.temperature)?;
        let general = Gradients::of(&distillation, parameters)?;
        gradients.combine(&general, |first, second| {
            let dot = f64::from((first * second)?.sum_all()?.to_scalar::<f32>()?);
            let square = f64::from(second.sqr()?.sum_all()?.to_scalar::<f32>()?);
            if dot >= 0.0 || square == 0.0 {
                return Ok(first.clone());
            }
            Ok((first - (second * (self.lambda * dot / square))?)?)
        })
    }
}

export_plugin!(ProGrad);
