//! The cache: keys, values, and how it answers.

use harness_sdk::{
    Batch, Bench, Device, Init, Parameter, Parameters, Result, Tensor, ops,
    wire::{Setting, Split},
};

use crate::{config::Config, search};

/// What both methods compute from the backbone at hand.
pub(crate) struct Cache {
    config: Config,
    scale: f64,
    /// The zero-shot classifier `[C, E]`.
    text: Tensor,
}

/// `keys` `[n, E]`, one a training image; `values` `[n, C]`, 1 where the image is of
/// the class; `alpha` and `beta` `[1]`. n is left open: the module brings it.
pub(crate) fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
    config.check()?;
    let open = Parameter::OPEN;
    let keys = [open, setting.backbone.embed_dim];
    let values = [open, setting.task.classes.len()];
    Ok(vec![
        Parameter::new("keys", &keys, Init::Zeros),
        Parameter::new("values", &values, Init::Zeros)
            .per_class(1)
            .fixed(),
        Parameter::new("alpha", &[1], Init::Zeros).fixed(),
        Parameter::new("beta", &[1], Init::Zeros).fixed(),
    ])
}

/// Unnormalised features `[n, E]` of training images, as the reference code averages the passes
/// of its augmented loader.
fn mean_over_views(bench: &Bench, rows: &[u32]) -> Result<Tensor> {
    let views = bench.setting().task.train_views.max(1);
    let mut sum = bench.image_features(Split::Train, rows)?;
    for view in 1..views {
        sum = (sum + bench.image_view(Split::Train, rows, view as u32)?)?;
    }
    Ok((sum / views as f64)?)
}

impl Cache {
    pub(crate) fn prepare(config: &Config, bench: &Bench) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            scale: config.scale(bench),
            text: bench.zero_shot()?,
        })
    }

    /// The cache of the training draw.
    pub(crate) fn build(&self, bench: &Bench) -> Result<Parameters> {
        let labels = bench.labels(Split::Train)?;
        let rows: Vec<u32> = (0..labels.len() as u32).collect();
        let keys = ops::normalize(&mean_over_views(bench, &rows)?)?;
        let (classes, images) = (bench.classes(), labels.len());
        let mut values = vec![0f32; classes * images];
        for (image, &class) in labels.iter().enumerate() {
            values[image * classes + class as usize] = 1.0;
        }
        let constant = |value: f64| Tensor::new(&[value as f32], &Device::Cpu);
        let entries = [
            ("keys", keys),
            (
                "values",
                Tensor::from_vec(values, (images, classes), &Device::Cpu)?,
            ),
            ("alpha", constant(self.config.alpha)?),
            ("beta", constant(self.config.beta)?),
        ];
        let entries = entries.map(|(name, tensor)| (name.to_owned(), tensor));
        Ok(Parameters::new(entries.into()))
    }

    /// `scale f W + alpha exp(-beta (1 - f F)) V` for a batch, `[B, C]`.
    pub(crate) fn logits(
        &self,
        bench: &Bench,
        parameters: &Parameters,
        batch: &Batch,
    ) -> Result<Tensor> {
        let image = ops::normalize(&batch.features(bench)?)?;
        let zero_shot = ops::cosine_logits(&image, &self.text, self.scale)?;
        let answer = answer(&image, parameters, parameters.get("beta")?)?;
        Ok((zero_shot + answer.broadcast_mul(parameters.get("alpha")?)?)?)
    }

    /// The module with alpha and beta that do best on the validation draw; none where
    /// they are not searched.
    pub(crate) fn select(&self, bench: &Bench, trained: &Parameters) -> Result<Option<Parameters>> {
        let labels = bench.labels(Split::Val)?;
        if !self.config.search || labels.is_empty() {
            return Ok(None);
        }
        let rows: Vec<u32> = (0..labels.len() as u32).collect();
        let image = ops::normalize(&bench.image_features(Split::Val, &rows)?)?;
        let zero_shot = ops::cosine_logits(&image, &self.text, self.scale)?;
        let best = search::best(self.config.search_scale, &zero_shot, &labels, |beta| {
            answer(&image, trained, &Tensor::new(&[beta], &Device::Cpu)?)
        })?;
        let mut entries = vec![];
        for (name, tensor) in trained.iter() {
            let chosen = match name {
                "alpha" => Tensor::new(&[best.alpha], &Device::Cpu)?,
                "beta" => Tensor::new(&[best.beta], &Device::Cpu)?,
                _ => tensor.clone(),
            };
            entries.push((name.to_owned(), chosen));
        }
        Ok(Some(Parameters::new(entries)))
    }
}

/// `exp(-beta (1 - f F)) V` for normalised features `[B, E]`: `[B, C]`.
fn answer(image: &Tensor, parameters: &Parameters, beta: &Tensor) -> Result<Tensor> {
    let affinity = image.matmul(&parameters.get("keys")?.t()?)?;
    let weight = (affinity - 1.0)?.broadcast_mul(beta)?.exp()?;
    Ok(weight.matmul(parameters.get("values")?)?)
}
