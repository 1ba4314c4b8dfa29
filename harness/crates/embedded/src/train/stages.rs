//! The two stages in order, with what is kept between them.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use harness_backbone::{Backbone, Tokenizer};

use super::parameters::{Parameters, initial, is_image, text_prefix};
use super::recipe::Recipe;
use super::{alignment, labels};
use crate::error::EmbeddedError;
use crate::folder;

/// Trains a backbone and writes `backbones/<name>`.
///
/// Image tensors of the first stage are kept in `scratch` under a name that says how they were made,
/// and used again if they are there: alignment can then be repeated alone.
pub(crate) fn train(
    recipe: &Recipe,
    backbones: &Path,
    tokenizer_file: &Path,
    scratch: &Path,
) -> Result<(), EmbeddedError> {
    let tokenizer = Tokenizer::load(tokenizer_file)?;
    let shape = recipe.shape(tokenizer.vocab_size());
    let config = folder::config(&shape);
    let parameters = initial(&shape, recipe.seed)?;
    let tensors: HashMap<String, Tensor> = parameters
        .iter()
        .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
        .collect();
    let backbone = Backbone::from_tensors(tensors, &config, None)?;

    let checkpoint = scratch.join(format!(
        "{}-{}-steps.safetensors",
        recipe.name, recipe.labels.steps
    ));
    if checkpoint.is_file() {
        eprintln!("{}: image tower from {}", recipe.name, checkpoint.display());
        let saved = candle_core::safetensors::load(&checkpoint, &Device::Cpu)?;
        for (name, tensor) in saved {
            if let Some(var) = parameters.get(&name) {
                var.set(&tensor)?;
            }
        }
    } else {
        labels::run(recipe, &backbone, &parameters)?;
        let image = parameters.iter().filter(|(name, _)| is_image(name));
        let image: HashMap<_, _> = image
            .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
            .collect();
        fs_err::create_dir_all(scratch)?;
        candle_core::safetensors::save(&image, &checkpoint)?;
    }
    if let Some(source) = recipe.text_from {
        let weights = backbones.join(source).join(folder::WEIGHTS);
        copy_text(&weights, &parameters, text_prefix(shape.tower))?;
    }
    alignment::run(recipe, &backbone, &parameters, &tokenizer)?;
    folder::write(
        &backbones.join(recipe.name),
        &parameters,
        &config,
        tokenizer_file,
    )
}

/// Starts the text tower from a trained one of the plain CLIP layout.
fn copy_text(weights: &Path, parameters: &Parameters, prefix: &str) -> Result<(), EmbeddedError> {
    let source = candle_core::safetensors::load(weights, &Device::Cpu)?;
    for (name, tensor) in source.iter().filter(|(name, _)| !is_image(name)) {
        let own = if name == "logit_scale" {
            name.clone()
        } else {
            format!("{prefix}{name}")
        };
        let Some(var) = parameters.get(&own) else {
            let reason = format!("{} has {name}, but there is no {own}", weights.display());
            return Err(EmbeddedError::Training(reason));
        };
        var.set(&tensor.to_dtype(var.dtype())?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer;
    use crate::train::BACKBONES;

    /// A few steps of every backbone, in their order.
    fn made(root: &Path) -> Vec<Vec<u8>> {
        let file = root.join(folder::TOKENIZER);
        tokenizer::learn()
            .and_then(|t| t.save(&file, false))
            .expect("tokenizer");
        let weights = BACKBONES.iter().map(|recipe| {
            let mut recipe = *recipe;
            recipe.labels.steps = 2;
            recipe.alignment.steps = 2;
            train(&recipe, root, &file, &root.join("scratch")).expect("training");
            fs_err::read(root.join(recipe.name).join(folder::WEIGHTS)).expect("weights")
        });
        weights.collect()
    }

    #[test]
    fn training_twice_gives_the_same_bytes_and_loadable_backbones() {
        let (once, again) = (
            tempfile::tempdir().expect("dir"),
            tempfile::tempdir().expect("dir"),
        );
        let first = made(once.path());
        assert_eq!(first, made(again.path()));
        assert_ne!(
            first[0], first[2],
            "the unrelated backbone starts elsewhere"
        );
        for recipe in BACKBONES {
            let backbone = Backbone::load(&once.path().join(recipe.name)).expect("loads");
            let rows = [backbone
                .tokenizer()
                .expect("one")
                .prompt("a red star", 32)
                .expect("ids")];
            let features = backbone.text().encode_ids(&rows).expect("features");
            let values = features
                .flatten_all()
                .and_then(|f| f.to_vec1::<f32>())
                .expect("values");
            assert_eq!(values.len(), 128);
            assert!(values.iter().all(|v| v.is_finite()));
        }
    }
}
