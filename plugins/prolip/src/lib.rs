//! ProLIP: the projection of the image tower, fine-tuned (Fahes et al., arXiv 2410.05270).
//!
//! W, which maps the image tower's class token to the joint space, is trained on inputs that are
//! computed once: L = L_ce + lambda |W - W0|², the sum over all elements. The classifier is
//! the zero-shot one.

use harness_sdk::{
    Batch, Card, Error, Feature, Forward, Host, Init, Method, OptimizerKind, Parameter, Parameters,
    Recipe, Result, Schedule, Tensor, export_plugin, ops,
    wire::{DataNeed, Family, ImageStage, Role, Setting, Site, Tower},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of ProLIP.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// lambda, the weight of the distance to the pretrained projection; `null` for 1 / N with N
    /// shots, the authors' rule without a validation set.
    lambda: Option<f64>,
}

/// ProLIP for one backbone.
pub struct ProLip {
    lambda: f64,
    /// The source's own projection `[E, width]`; none on a target.
    pretrained: Option<Tensor>,
    /// The projection's bias `[E]`, which EVA02 has.
    bias: Option<Tensor>,
}

impl Method for ProLip {
    type Config = Config;

    const USES: &'static [Feature] = &[Feature::ImageActivations];

    fn card() -> Card {
        Card {
            id: "prolip",
            title: "ProLIP: fine-tuned image projection",
            paper: "arXiv 2410.05270",
            family: Family::Weights,
            depth: "image projection",
            sites: &[Site::Weight],
            data: DataNeed::Pixels,
            recomputed: &[
                "the zero-shot classifier",
                "the projection's bias, where the target has one",
            ],
            deviations: &[
                "logits use the backbone's logit scale; the reference fixes 100",
                "the projection is trained in f32; the reference starts from f16 weights",
                "lr 1e-5 for every data set; the reference also searches lr and lambda on a validation set",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference has 300, one for each epoch",
            ],
        }
    }

    /// Full-batch Adam, a cosine over 300 steps.
    fn recipe(_config: &Config, setting: &Setting) -> Recipe {
        Recipe {
            optimizer: OptimizerKind::Adam,
            lr: 1e-5,
            weight_decay: 0.0,
            eps: 1e-4,
            schedule: Schedule::StepCosine,
            epochs: 300,
            batch: match setting.task.train_rows {
                // Not drawn yet.
                0 => 1 << 20,
                rows => rows,
            },
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        if config.lambda.is_some_and(|l| !(l >= 0.0 && l.is_finite())) {
            return Err(Error::Config("lambda must not be negative".into()));
        }
        let shape = [setting.backbone.embed_dim, setting.backbone.image.width];
        Ok(vec![Parameter::new("proj", &shape, Init::ImageProjection)])
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        let Setting {
            backbone,
            role,
            task,
        } = host.setting();
        let shots = task.train_rows.div_ceil(host.classes().max(1)).max(1);
        let has_bias = |name: &str| {
            let mut known = backbone.parameters.iter();
            known.any(|p| p.tower == Tower::Image && p.name == name)
        };
        Ok(Self {
            lambda: config.lambda.unwrap_or(1.0 / shots as f64),
            pretrained: match role {
                Role::Source => Some(host.image_projection()?),
                Role::Target => None,
            },
            bias: match has_bias("head.bias") {
                true => Some(host.parameter(Tower::Image, "head.bias")?),
                false => None,
            },
        })
    }

    fn images(&self, host: &Host, parameters: &Parameters, batch: &Batch) -> Result<Tensor> {
        let inputs = host.image_activations(batch, ImageStage::BeforeProjection)?;
        let features = inputs.matmul(&parameters.get("proj")?.t()?)?;
        match &self.bias {
            Some(bias) => Ok(features.broadcast_add(bias)?),
            None => Ok(features),
        }
    }

    fn loss(
        &self,
        _host: &Host,
        parameters: &Parameters,
        batch: &Batch,
        forward: &Forward,
    ) -> Result<Tensor> {
        let loss = ops::cross_entropy(&forward.logits, batch.labels()?)?;
        match &self.pretrained {
            Some(pretrained) => {
                let distance = (parameters.get("proj")? - pretrained)?.sqr()?.sum_all()?;
                Ok((loss + (distance * self.lambda)?)?)
            }
            None => Ok(loss),
        }
    }
}

export_plugin!(ProLip);
