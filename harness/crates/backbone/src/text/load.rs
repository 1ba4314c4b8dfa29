//! Building the text tower from a state dict.

use std::sync::Arc;

use super::tower::{ACTIVATION_LIMIT, TextTower};
use crate::block::{self, BlockShape};
use crate::checkpoint::{Architecture, TextNames, Weights};
use crate::error::Result;
use crate::ops::{AttentionShape, Linear, WeightLayout};

impl TextTower {
    pub(crate) fn load(
        weights: &mut Weights,
        architecture: &Architecture,
        end_token: u32,
    ) -> Result<Self> {
        let (dims, embed) = (architecture.dims.text.clone(), architecture.dims.embed_dim);
        let names = architecture.layout.text;
        let shape = BlockShape {
            width: dims.width,
            mlp: dims.mlp,
            eps: architecture.text_eps,
            activation: dims.activation,
        };
        let blocks = (0..dims.layers).map(|i| {
            let at = format!("{}{i}.", names.blocks());
            match names {
                TextNames::Transformers => block::transformers(weights, &at, shape),
                TextNames::OpenClip(_) => block::open_clip(weights, &at, shape),
            }
        });
        let blocks = blocks.collect::<Result<_>>()?;
        let (position_name, norm_name, projection) = match names {
            TextNames::Transformers => (
                "text_model.embeddings.position_embedding.weight".to_owned(),
                "text_model.final_layer_norm".to_owned(),
                Linear::new(
                    weights.take("text_projection.weight", &[embed, dims.width])?,
                    None,
                ),
            ),
            TextNames::OpenClip(prefix) => (
                format!("{prefix}positional_embedding"),
                format!("{prefix}ln_final"),
                Linear {
                    weight: weights
                        .take(&format!("{prefix}text_projection"), &[dims.width, embed])?,
                    bias: None,
                    layout: WeightLayout::InOut,
                    low_rank: None,
                },
            ),
        };
        Ok(Self {
            end_token,
            token_embedding: weights
                .take(&names.token_embedding(), &[dims.vocab_size, dims.width])?,
            positions: weights.take(&position_name, &[dims.context_length, dims.width])?,
            blocks,
            attention: AttentionShape {
                heads: dims.heads,
                causal: true,
                rope: None,
            },
            ln_final: weights.layer_norm(&norm_name, dims.width, architecture.text_eps)?,
            projection,
            dims,
            activation_limit: ACTIVATION_LIMIT,
            pool: Arc::default(),
            lower: Arc::default(),
            accelerator: None,
        })
    }
}
