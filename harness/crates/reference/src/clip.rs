//! candle-transformers' CLIP on the same weights, as an independent reference.
//!
//! It computes OpenAI's architecture in transformers' layout, forward only. Its backward pass drops
//! gradients, so it is never used for training.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::clip::text_model::{Activation as Nonlinearity, ClipTextConfig};
use candle_transformers::models::clip::vision_model::ClipVisionConfig;
use candle_transformers::models::clip::{ClipConfig, ClipModel};
use harness_backbone::{Activation, Architecture, BackboneError, Result, read_tensors};

/// The LayerNorm epsilon that candle-transformers has built in.
const EPS: f32 = 1e-5;

/// candle-transformers' CLIP.
#[derive(Debug)]
pub struct ReferenceClip(ClipModel);

impl ReferenceClip {
    /// Loads a folder in transformers' layout.
    ///
    /// # Errors
    /// When a file is missing or damaged, or the backbone is not what candle-transformers computes.
    pub fn load(folder: &Path) -> Result<Self> {
        let architecture = Architecture::of(folder)?;
        let config = config(&architecture).map_err(|reason| BackboneError::File {
            path: folder.to_path_buf(),
            reason: format!(
                "candle-transformers only computes CLIP in transformers' layout with QuickGELU; {reason}"
            ),
        })?;
        let weights = read_tensors(folder)?;
        let builder = VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu);
        Ok(Self(ClipModel::new(builder, &config)?))
    }

    /// Text features `[N, E]` of whole token rows, start and end token included.
    ///
    /// # Errors
    /// When there is no row, or the model refuses one.
    pub fn encode_ids(&self, rows: &[Vec<u32>]) -> Result<Tensor> {
        let length = rows.iter().map(Vec::len).max().unwrap_or(0);
        if length == 0 {
            return Err(BackboneError::Request("no token to encode".into()));
        }
        // It reads the first highest id, the end token; what stands behind it is not seen.
        let padded = |row: &Vec<u32>| {
            let filler = std::iter::repeat_n(0, length - row.len());
            row.iter().copied().chain(filler).collect::<Vec<_>>()
        };
        let ids: Vec<u32> = rows.iter().flat_map(padded).collect();
        let ids = Tensor::from_vec(ids, (rows.len(), length), &Device::Cpu)?;
        Ok(self.0.get_text_features(&ids)?)
    }

    /// Image features `[B, E]` of normalised pixels `[B, 3, N, N]`.
    ///
    /// # Errors
    /// When the pixels are not of the model's size.
    pub fn encode_pixels(&self, pixels: &Tensor) -> Result<Tensor> {
        Ok(self.0.get_image_features(pixels)?)
    }
}

/// What candle-transformers' CLIP does not compute.
#[derive(Debug, thiserror::Error)]
enum Unsupported {
    #[error("found layout {0}")]
    Layout(&'static str),
    #[error("found GELU")]
    Activation,
    #[error("found a LayerNorm epsilon other than {EPS:e}")]
    Epsilon,
}

/// The configuration of the model.
fn config(architecture: &Architecture) -> Result<ClipConfig, Unsupported> {
    if !architecture.layout.is_transformers() {
        return Err(Unsupported::Layout(architecture.layout.name()));
    }
    let (text, image) = (&architecture.dims.text, &architecture.dims.image);
    if [text.activation, architecture.image_activation] != [Activation::QuickGelu; 2] {
        return Err(Unsupported::Activation);
    }
    if [architecture.text_eps, architecture.image_eps] != [EPS; 2] {
        return Err(Unsupported::Epsilon);
    }
    Ok(ClipConfig {
        text_config: ClipTextConfig {
            vocab_size: text.vocab_size,
            embed_dim: text.width,
            activation: Nonlinearity::QuickGelu,
            intermediate_size: text.mlp,
            max_position_embeddings: text.context_length,
            pad_with: None,
            num_hidden_layers: text.layers,
            num_attention_heads: text.heads,
            projection_dim: architecture.dims.embed_dim,
        },
        vision_config: ClipVisionConfig {
            embed_dim: image.width,
            activation: Nonlinearity::QuickGelu,
            intermediate_size: image.mlp,
            num_hidden_layers: image.layers,
            num_attention_heads: image.heads,
            projection_dim: architecture.dims.embed_dim,
            num_channels: 3,
            image_size: image.image_size,
            patch_size: image.patch_size,
        },
        logit_scale_init_value: 0.0,
        image_size: image.image_size,
    })
}
