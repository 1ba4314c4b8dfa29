//! ProGrad: prompt-aligned gradient (Zhu et al., arXiv 2205.14865).
//!
//! CoOp whose steps do not work against zero-shot knowledge: where the gradient of
//! the cross entropy and that of the distillation from the zero-shot classifier
//! disagree, the part of the first along the second is taken out.

use harness_sdk::{
    Batch, Bench, Card, ClassPrompts, Context, Error, Forward, Init, Method, Parameter, Parameters,
    Recipe, Result, Tensor, export_plugin, ops,
    wire::{DataNeed, Family, Role, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of ProGrad.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    context: Context,
    /// The share of the conflicting part that is taken out; 0 is CoOp. The authors
    /// take 0.8 for 8 and 16 shots of Oxford Flowers, DTD and EuroSAT.
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

/// The method.
pub struct ProGrad {
    prompts: ClassPrompts,
    lambda: f64,
    temperature: f64,
    /// The source's zero-shot classifier `[C, E]`; not needed on a target.
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
            needs: &["ctx [M, text.width]"],
            data: DataNeed::Features,
            carried: &["ctx"],
            recomputed: &["token ids and embeddings of the class names"],
            deviations: &[
                "the last places begin with \"a photo of a\"; the reference writes each data set's template backwards (\"a type of pet, a photo of a\")",
                "where the second gradient is zero the first is taken; the reference divides 0 by 0 and gets there because NaN compares false",
                "200 epochs, the reference's for 8 and 16 shots; it takes fewer for fewer shots and on ImageNet",
                "parameters are f32, the reference trains them in f16",
            ],
        }
    }

    fn recipe(_config: &Config) -> Recipe {
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
                ctx.beginning(Init::WordsAfterZeros(words.clone()))
            }
            _ => ctx,
        }])
    }

    fn prepare(config: &Config, bench: &Bench) -> Result<Self> {
        let teacher = match bench.setting().role {
            Role::Source => Some(bench.zero_shot()?),
            Role::Target => None,
        };
        Ok(Self {
            prompts: config.context.prompts(bench)?,
            lambda: config.lambda,
            temperature: config.temperature,
            teacher,
        })
    }

    fn classifier(&self, bench: &Bench, parameters: &Parameters) -> Result<Option<Tensor>> {
        let features = self.prompts.encode(bench, parameters.get("ctx")?)?;
        Ok(Some(features))
    }

    fn second_loss(
        &self,
        bench: &Bench,
        batch: &Batch,
        forward: &Forward,
    ) -> Result<Option<Tensor>> {
        let Some(teacher) = &self.teacher else {
            return Ok(None);
        };
        let teacher = ops::cosine_logits(&batch.features(bench)?, teacher, bench.logit_scale())?;
        let loss = ops::distillation(&forward.logits, &teacher, self.temperature)?;
        Ok(Some(loss))
    }

    /// `g - lambda (g · b) b` with `b` the second gradient at length 1, where
    /// `g · b < 0`.
    fn combine(&self, first: &Tensor, second: &Tensor) -> Result<Tensor> {
        let dot = f64::from((first * second)?.sum_all()?.to_scalar::<f32>()?);
        let square = f64::from(second.sqr()?.sum_all()?.to_scalar::<f32>()?);
        if dot >= 0.0 || square == 0.0 {
            return Ok(first.clone());
        }
        Ok((first - (second * (self.lambda * dot / square))?)?)
    }
}

export_plugin!(ProGrad);
