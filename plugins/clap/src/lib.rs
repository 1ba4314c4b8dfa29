//! CLAP: class-adaptive linear probe (Silva-Rodríguez et al., arXiv 2312.12730).
//!
//! A linear probe whose class weights w_c start from the zero-shot text features t_c and are held
//! close to them: L = L_ce + mean_c alpha_c |w_c - t_c|². alpha_c is the mean probability
//! that the zero-shot classifier gives class c on its own training images.

use harness_sdk::{
    Batch, Card, Device, Error, Forward, Host, Init, Method, Parameter, Parameters, Recipe, Result,
    Tensor, export_plugin, ops,
    wire::{DataNeed, Ensemble, Family, Role, Setting, Site, Split},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of CLAP.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Holds the class weights close to the text features; without it the method is the authors'
    /// zero-shot initialised linear probe (ZS-LP).
    constraint: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { constraint: true }
    }
}

/// CLAP for one backbone.
pub struct Clap {
    /// Unnormalised text features `[C, E]` of the data set's templates.
    base: Tensor,
    /// alpha `[C]`; none on a target and for ZS-LP.
    multipliers: Option<Tensor>,
}

/// Mean zero-shot probability of each class on its training images in all views, `[C]`; 0 for a
/// class without images.
fn multipliers(host: &Host, base: &Tensor) -> Result<Tensor> {
    let labels = host.labels(Split::Train)?;
    let rows: Vec<u32> = (0..labels.len() as u32).collect();
    let mut sums = vec![0f64; host.classes()];
    let mut counts = vec![0usize; host.classes()];
    for view in 0..host.setting().task.train_views.max(1) {
        let images = host.image_features_in_view(Split::Train, &rows, view as u32)?;
        let logits = ops::cosine_logits(&images, base, host.logit_scale())?;
        let probabilities = ops::softmax(&logits)?.to_vec2::<f32>()?;
        for (row, &label) in probabilities.iter().zip(&labels) {
            let class = label as usize;
            if class >= sums.len() {
                return Err(Error::Config(format!("label {label} names no class")));
            }
            sums[class] += f64::from(row[class]);
            counts[class] += 1;
        }
    }
    let means = sums.iter().zip(&counts);
    let means: Vec<f32> = means.map(|(s, &n)| (s / n.max(1) as f64) as f32).collect();
    Ok(Tensor::new(means, &Device::Cpu)?)
}

impl Method for Clap {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "clap",
            title: "CLAP: class-adaptive linear probe",
            paper: "arXiv 2312.12730",
            family: Family::Features,
            depth: "text feature",
            sites: &[Site::TextFeature],
            data: DataNeed::Features,
            recomputed: &[],
            deviations: &[
                "an epoch reads each training image once, in one of the suite's `views`; the reference draws from 20 augmented copies of every image",
                "the text features are those of the data set's own templates; the reference adds seven templates for ImageNet",
                "training images are single unaugmented views unless the suite's `images` says otherwise",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            lr: 0.1,
            weight_decay: 0.0,
            epochs: 300,
            batch: 256,
            ..Recipe::default()
        }
    }

    fn parameters(_config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        let shape = [setting.task.classes.len(), setting.backbone.embed_dim];
        let prototypes = Parameter::new("prototypes", &shape, Init::Zeros);
        Ok(vec![prototypes.per_class(0)])
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        let Setting { role, task, .. } = host.setting();
        let base = host.class_features(&task.templates, Ensemble::RawMean)?;
        let multipliers = match (role, config.constraint) {
            (Role::Source, true) => Some(multipliers(host, &base)?),
            _ => None,
        };
        Ok(Self { base, multipliers })
    }

    /// The class weights before training are the text features.
    fn build(&self, _host: &Host, _initial: Parameters) -> Result<Parameters> {
        let entry = ("prototypes".to_owned(), self.base.clone());
        Ok(Parameters::new(vec![entry]))
    }

    fn classifier(&self, _host: &Host, parameters: &Parameters) -> Result<Tensor> {
        Ok(parameters.get("prototypes")?.clone())
    }

    fn loss(
        &self,
        _host: &Host,
        parameters: &Parameters,
        batch: &Batch,
        forward: &Forward,
    ) -> Result<Tensor> {
        let loss = ops::cross_entropy(&forward.logits, batch.labels()?)?;
        let Some(multipliers) = &self.multipliers else {
            return Ok(loss);
        };
        let distance = (parameters.get("prototypes")? - &self.base)?
            .sqr()?
            .sum(1)?;
        Ok((loss + (distance * multipliers)?.mean_all()?)?)
    }
}

export_plugin!(Clap);
