//! Second stage: captions bring both towers together, the image tower moving slowly.

use candle_core::Tensor;
use harness_backbone::{Backbone, Tokenizer};

use super::adamw::{AdamW, Slot};
use super::feed::feed;
use super::parameters::{Parameters, is_image};
use super::progress::Progress;
use super::recipe::{BATCH, DECAY, IMAGE_SHARE, Recipe};
use super::{loss, rate};
use crate::error::EmbeddedError;

const WARMUP: usize = 30;
/// CLIP clamps the factor on cosines here.
const MOST_SCALE: f32 = 100.0;

/// Trains both towers and the logit scale in place.
pub(super) fn run(
    recipe: &Recipe,
    backbone: &Backbone,
    parameters: &Parameters,
    tokenizer: &Tokenizer,
) -> Result<(), EmbeddedError> {
    let stage = recipe.alignment;
    let slots = parameters.iter().map(|(name, var)| {
        let scale = if is_image(name) { IMAGE_SHARE } else { 1.0 };
        Slot::new(name, var, scale, DECAY)
    });
    let mut adamw = AdamW::new(slots.collect());
    let length = backbone.dims().text.context_length;
    let batches = feed(recipe.seed + 2, stage.steps, BATCH, recipe.voice);
    let mut progress = Progress::new(format!("{} alignment", recipe.name), stage.steps);
    for (step, batch) in batches.iter().enumerate() {
        let rows = batch
            .captions
            .iter()
            .map(|caption| tokenizer.prompt(caption, length));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let images = backbone.image().encode(&batch.pixels()?)?;
        let texts = backbone.text().encode_ids(&rows)?;
        let scale = backbone.log_logit_scale().exp()?;
        let loss = loss::contrastive(&images, &texts, &scale)?;
        let share = rate::share(step, stage.steps, WARMUP);
        adamw.step(&loss.backward()?, stage.rate * share)?;
        clamp_scale(parameters)?;
        progress.tell(step, loss.to_scalar()?);
    }
    Ok(())
}

fn clamp_scale(parameters: &Parameters) -> Result<(), EmbeddedError> {
    if let Some(var) = parameters.get("logit_scale") {
        let most = MOST_SCALE.ln();
        if var.to_scalar::<f32>()? > most {
            var.set(&Tensor::new(most, var.device())?)?;
        }
    }
    Ok(())
}
