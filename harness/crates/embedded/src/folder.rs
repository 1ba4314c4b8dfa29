//! A backbone on disk: weights, configuration, tokenizer, as open_clip lays them out.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Tensor, Var};
use serde_json::{Value, json};

use crate::error::EmbeddedError;
use crate::train::{DEVIATION, ImageTower, MEAN, Shape};
use crate::world::SIDE;

pub(crate) const WEIGHTS: &str = "model.safetensors";
const CONFIG: &str = "open_clip_config.json";
pub(crate) const TOKENIZER: &str = "tokenizer.json";

/// open_clip's configuration of a shape.
pub(crate) fn config(shape: &Shape) -> Value {
    let text = json!({
        "context_length": shape.context_length,
        "vocab_size": shape.vocab,
        "width": shape.text_width,
        "heads": shape.heads,
        "layers": shape.text_layers,
    });
    let model = match shape.tower {
        ImageTower::Clip => json!({
            "embed_dim": shape.embed,
            "vision_cfg": {
                "image_size": SIDE,
                "layers": shape.image_layers,
                "width": shape.image_width,
                "head_width": shape.image_width / shape.heads,
                "patch_size": shape.patch,
            },
            "text_cfg": text,
            "quick_gelu": true,
        }),
        ImageTower::Eva02 => json!({
            "embed_dim": shape.embed,
            "vision_cfg": {
                "timm_model_name": "eva02_base_patch16_clip_224",
                "timm_pool": "token",
                "timm_proj": null,
                "overrides": {
                    "img_size": SIDE,
                    "patch_size": shape.patch,
                    "embed_dim": shape.image_width,
                    "depth": shape.image_layers,
                    "num_heads": shape.heads,
                },
            },
            "text_cfg": text,
            "custom_text": true,
        }),
    };
    json!({
        "model_cfg": model,
        "preprocess_cfg": {
            "mean": vec![MEAN; 3],
            "std": vec![DEVIATION; 3],
            "size": SIDE,
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    })
}

/// Writes a backbone; weights in half precision.
pub(crate) fn write<'a>(
    folder: &Path,
    parameters: impl IntoIterator<Item = (&'a String, &'a Var)>,
    config: &Value,
    tokenizer: &Path,
) -> Result<(), EmbeddedError> {
    let half = |(name, var): (&String, &Var)| -> Result<(String, Tensor), EmbeddedError> {
        Ok((name.clone(), var.as_tensor().to_dtype(DType::F16)?))
    };
    let tensors: HashMap<String, Tensor> =
        parameters.into_iter().map(half).collect::<Result<_, _>>()?;
    fs_err::create_dir_all(folder)?;
    candle_core::safetensors::save(&tensors, folder.join(WEIGHTS))?;
    fs_err::write(folder.join(CONFIG), format!("{config:#}\n"))?;
    fs_err::copy(tokenizer, folder.join(TOKENIZER))?;
    Ok(())
}
