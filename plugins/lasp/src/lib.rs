//! LASP: language-aware soft prompting (Bulat and Tzimiropoulos, arXiv 2210.01115).
//!
//! CoOp whose text features also have to classify hand-written prompts: a second cross entropy
//! takes the text features of many templates as samples, each of its own class, and the
//! learned prompts' features as the classifier. A learned shift w is added to every text feature.

use harness_sdk::{
    Batch, Card, ClassPrompts, Context, Error, Forward, Host, Init, Method, Parameter, Parameters,
    Recipe, Result, Tensor, export_plugin, ops,
    wire::{DataNeed, Ensemble, Family, Role, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod templates;

/// Configuration of LASP.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The learned context.
    context: Context,
    /// Weight of the cross entropy between texts. The authors' files also have 10.
    weight: f64,
    /// Hand-written prompts, with one `{}` each.
    templates: Vec<String>,
    /// Standard deviation of the noise that is added to the hand-written prompts' normalised
    /// features in every other step, on average.
    noise: f64,
    /// Learns the shift w.
    correction: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            context: Context::default(),
            weight: 5.0,
            templates: templates::LASP.iter().map(|&t| t.to_owned()).collect(),
            noise: 0.05,
            correction: true,
        }
    }
}

impl Config {
    fn check(&self) -> Result<()> {
        let number = |value: f64| value >= 0.0 && value.is_finite();
        if !number(self.weight) || !number(self.noise) {
            return Err(Error::Config(
                "weight and noise must not be negative".into(),
            ));
        }
        match self.templates.iter().find(|t| !t.contains("{}")) {
            Some(template) => Err(Error::Config(format!(
                "templates: {template:?} has no {{}} for the class name"
            ))),
            None if self.templates.is_empty() => {
                Err(Error::Config("templates must not be empty".into()))
            }
            None => Ok(()),
        }
    }
}

/// LASP for one backbone.
pub struct Lasp {
    prompts: ClassPrompts,
    config: Config,
    /// Normalised features `[L, C, E]` of the L templates; none on a target.
    hand_written: Option<Tensor>,
}

impl Lasp {
    /// Mean cross entropy of the templates' features, classified by the learned prompts' features
    /// `[C, E]`.
    fn text_loss(&self, host: &Host, learned: &Tensor, hand_written: &Tensor) -> Result<Tensor> {
        let mut samples = hand_written.clone();
        if self.config.noise > 0.0 {
            let mut random = host.random("templates");
            let coin = random.uniform(&[1], 0.0, 1.0)?.to_vec1::<f32>()?;
            if coin[0] < 0.5 {
                samples = (samples + random.normal(hand_written.dims(), self.config.noise)?)?;
            }
        }
        let (templates, classes, width) = samples.dims3()?;
        let samples = samples.reshape((templates * classes, width))?;
        let logits = samples.matmul(&ops::normalize(learned)?.t()?)?;
        let labels: Vec<u32> = (0..templates * classes)
            .map(|at| (at % classes) as u32)
            .collect();
        let labels = Tensor::new(labels, logits.device())?;
        ops::cross_entropy(&(logits * host.logit_scale())?, &labels)
    }
}

impl Method for Lasp {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "lasp",
            title: "LASP: language-aware soft prompting",
            paper: "arXiv 2210.01115",
            family: Family::Input,
            depth: "text input",
            sites: &[Site::TextInput, Site::TextFeature],
            data: DataNeed::Features,
            recomputed: &["token ids and embeddings of the class names"],
            deviations: &[
                "the image tower stays frozen; the reference also trains its LayerNorms, at a tenth of the learning rate",
                "one group of prompts, as in the reference's code; no virtual classes",
                "25 epochs and weight 5 for every data set; the reference's files also have 10, 50 and 300 epochs and weight 10",
                "parameters are f32; the reference trains in mixed precision with gradients cut to norm 1",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on random crops, flipped half of the time",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            lr: 0.032,
            epochs: 25,
            warmup_epochs: 3,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        config.check()?;
        let mut parameters = vec![config.context.parameter("ctx", setting, false)?];
        if config.correction {
            let shape = [1, setting.backbone.embed_dim];
            parameters.push(Parameter::new("w", &shape, Init::Zeros));
        }
        Ok(parameters)
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        let hand_written = match host.setting().role {
            Role::Target => None,
            Role::Source => {
                let mut features = vec![];
                for template in &config.templates {
                    let template = std::slice::from_ref(template);
                    let raw = host.class_features(template, Ensemble::RawMean)?;
                    features.push(ops::normalize(&raw)?);
                }
                Some(Tensor::stack(&features, 0)?)
            }
        };
        Ok(Self {
            prompts: config.context.prompts(host)?,
            config: config.clone(),
            hand_written,
        })
    }

    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        let features = self.prompts.encode(host, parameters.get("ctx")?)?;
        match self.config.correction {
            true => Ok(features.broadcast_add(parameters.get("w")?)?),
            false => Ok(features),
        }
    }

    fn loss(
        &self,
        host: &Host,
        _parameters: &Parameters,
        batch: &Batch,
        forward: &Forward,
    ) -> Result<Tensor> {
        let loss = ops::cross_entropy(&forward.logits, batch.labels()?)?;
        match &self.hand_written {
            Some(hand_written) => {
                let text = self.text_loss(host, &forward.classifier, hand_written)?;
                Ok((loss + (text * self.config.weight)?)?)
            }
            None => Ok(loss),
        }
    }
}

export_plugin!(Lasp);
