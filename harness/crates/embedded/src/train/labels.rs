//! First stage: the image tower learns what is in the pictures, one linear head per attribute.

use candle_core::{Device, Tensor, Var};
use harness_backbone::Backbone;
use rand_distr::{Distribution, StandardNormal};

use super::adamw::{AdamW, Slot};
use super::feed::feed;
use super::parameters::{Parameters, is_image};
use super::progress::Progress;
use super::recipe::{BATCH, DECAY, Recipe};
use super::{loss, rate};
use crate::error::EmbeddedError;
use crate::stream::stream;
use crate::world::Attribute;

const WARMUP: usize = 50;

/// Trains the image tensors of `parameters` in place; the heads are thrown away.
pub(super) fn run(
    recipe: &Recipe,
    backbone: &Backbone,
    parameters: &Parameters,
) -> Result<(), EmbeddedError> {
    let stage = recipe.labels;
    let heads = heads(backbone.dims().embed_dim, recipe.seed)?;
    let mut slots: Vec<Slot> = parameters
        .iter()
        .filter(|(name, _)| is_image(name))
        .map(|(name, var)| Slot::new(name, var, 1.0, DECAY))
        .collect();
    slots.push(Slot::new("heads", &heads, 1.0, 0.0));
    let mut adamw = AdamW::new(slots);
    let batches = feed(recipe.seed + 1, stage.steps, BATCH, recipe.voice);
    let mut progress = Progress::new(format!("{} labels", recipe.name), stage.steps);
    for (step, batch) in batches.iter().enumerate() {
        let features = backbone.image().encode(&batch.pixels()?)?;
        let logits = features.matmul(&heads.as_tensor().t()?)?;
        let loss = loss::attributes(&logits, &batch.labels)?;
        let share = rate::share(step, stage.steps, WARMUP);
        adamw.step(&loss.backward()?, stage.rate * share)?;
        progress.tell(step, loss.to_scalar()?);
    }
    Ok(())
}

/// `[sum of values, E]`, the heads of all attributes one below the other.
fn heads(embed: usize, seed: u64) -> Result<Var, EmbeddedError> {
    let rows: usize = Attribute::ALL.iter().map(|a| a.values()).sum();
    let scale = (embed as f32).powf(-0.5);
    let mut rng = stream(seed, u64::MAX);
    let mut normal = || -> f32 { StandardNormal.sample(&mut rng) };
    let values: Vec<f32> = (0..rows * embed).map(|_| scale * normal()).collect();
    Ok(Var::from_tensor(&Tensor::from_vec(
        values,
        (rows, embed),
        &Device::Cpu,
    )?)?)
}
