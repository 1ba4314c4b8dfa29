//! The cache of keys and values, and its logits.

use harness_sdk::{
    Batch, Device, Host, Init, Parameter, Parameters, Result, Tensor, ops,
    wire::{Setting, Split},
};

use crate::{config::Config, search};

/// What both methods compute from the host's backbone.
pub(crate) struct Cache {
    config: Config,
    scale: f64,
    /// The zero-shot classifier `[C, E]`.
    text: Tensor,
}

/// `keys` `[n, E]`, one per training image; `values` `[n, C]`, their one-hot labels;
/// `alpha` and `beta` `[1]`. n is dynamic.
pub(crate) fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
    config.check()?;
    let images = Parameter::DYNAMIC;
    let keys = [images, setting.backbone.embed_dim];
    let values = [images, setting.task.classes.len()];
    Ok(vec![
        Parameter::new("keys", &keys, Init::Zeros),
        Parameter::new("values", &values, Init::Zeros)
            .per_class(1)
            .fixed(),
        Parameter::new("alpha", &[1], Init::Zeros).fixed(),
        Parameter::new("beta", &[1], Init::Zeros).fixed(),
    ])
}

/// Unnormalised features `[n, E]` of training images, averaged over their views as in the
/// reference.
fn mean_over_views(host: &Host, rows: &[u32]) -> Result<Tensor> {
    let views = host.setting().task.train_views.max(1);
    let mut sum = host.image_features(Split::Train, rows)?;
    for view in 1..views {
        sum = (sum + host.image_features_in_view(Split::Train, rows, view as u32)?)?;
    }
    Ok((sum / views as f64)?)
}

impl Cache {
    pub(crate) fn new(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            scale: config.scale(host),
            text: host.zero_shot()?,
        })
    }

    /// The cache of the training images.
    pub(crate) fn build(&self, host: &Host) -> Result<Parameters> {
        let labels = host.labels(Split::Train)?;
        let rows: Vec<u32> = (0..labels.len() as u32).collect();
        let keys = ops::normalize(&mean_over_views(host, &rows)?)?;
        let (classes, images) = (host.classes(), labels.len());
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
        host: &Host,
        parameters: &Parameters,
        batch: &Batch,
    ) -> Result<Tensor> {
        let image = ops::normalize(&batch.features(host)?)?;
        let zero_shot = ops::cosine_logits(&image, &self.text, self.scale)?;
        let cached = cache_logits(&image, parameters, parameters.get("beta")?)?;
        Ok((zero_shot + cached.broadcast_mul(parameters.get("alpha")?)?)?)
    }

    /// The module with the alpha and beta that are best on the validation split, or as it is
    /// if they are not searched.
    pub(crate) fn select(&self, host: &Host, trained: Parameters) -> Result<Parameters> {
        let labels = host.labels(Split::Val)?;
        if !self.config.search || labels.is_empty() {
            return Ok(trained);
        }
        let rows: Vec<u32> = (0..labels.len() as u32).collect();
        let image = ops::normalize(&host.image_features(Split::Val, &rows)?)?;
        let zero_shot = ops::cosine_logits(&image, &self.text, self.scale)?;
        let best = search::best(self.config.search_scale, &zero_shot, &labels, |beta| {
            cache_logits(&image, &trained, &Tensor::new(&[beta], &Device::Cpu)?)
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
        Ok(Parameters::new(entries))
    }
}

/// `exp(-beta (1 - f F)) V` for normalised features `[B, E]`: `[B, C]`.
fn cache_logits(image: &Tensor, parameters: &Parameters, beta: &Tensor) -> Result<Tensor> {
    let affinity = image.matmul(&parameters.get("keys")?.t()?)?;
    let weight = (affinity - 1.0)?.broadcast_mul(beta)?.exp()?;
    Ok(weight.matmul(parameters.get("values")?)?)
}
