//! Building the image tower from a state dict.

use std::sync::Arc;

use super::positions;
use super::tower::ImageTower;
use crate::block::{self, BlockShape, EVA_CLIP, EvaNames, TIMM};
use crate::checkpoint::{Architecture, ImageNames, Weights};
use crate::error::Result;
use crate::ops::{AttentionShape, Linear, Rope, WeightLayout};
use crate::text::ACTIVATION_LIMIT;

impl ImageTower {
    pub(crate) fn load(weights: &mut Weights, architecture: &Architecture) -> Result<Self> {
        match architecture.layout.image {
            ImageNames::Transformers => Self::load_transformers(weights, architecture),
            ImageNames::OpenClip => Self::load_open_clip(weights, architecture),
            ImageNames::Timm => Self::load_eva(weights, architecture, "visual.trunk.", &TIMM),
            ImageNames::EvaClip => Self::load_eva(weights, architecture, "visual.", &EVA_CLIP),
        }
    }

    fn load_transformers(weights: &mut Weights, architecture: &Architecture) -> Result<Self> {
        let (d, p) = sizes(architecture);
        let shape = block_shape(architecture);
        let names = architecture.layout.image;
        let at = "vision_model.";
        let blocks = (0..architecture.dims.image.layers)
            .map(|i| block::transformers(weights, &format!("{}{i}.", names.blocks()), shape));
        let blocks = blocks.collect::<Result<_>>()?;
        let head = weights.take(
            "visual_projection.weight",
            &[architecture.dims.embed_dim, d],
        )?;
        Ok(Self {
            dims: architecture.dims.image.clone(),
            patch_weight: weights.take(names.patch_embedding(), &[d, 3, p, p])?,
            patch_bias: None,
            class_token: weights.take(&format!("{at}embeddings.class_embedding"), &[d])?,
            positions: positions::load(
                weights,
                architecture,
                &format!("{at}embeddings.position_embedding.weight"),
                &[],
            )?,
            ln_pre: Some(weights.layer_norm(
                &format!("{at}pre_layrnorm"),
                d,
                architecture.image_eps,
            )?),
            blocks,
            attention: attention_shape(architecture, None),
            ln_post: weights.layer_norm(
                &format!("{at}post_layernorm"),
                d,
                architecture.image_eps,
            )?,
            head: Linear::new(head, None),
            activation_limit: ACTIVATION_LIMIT,
            pool: Arc::default(),
            accelerator: None,
        })
    }

    fn load_open_clip(weights: &mut Weights, architecture: &Architecture) -> Result<Self> {
        let (d, p) = sizes(architecture);
        let shape = block_shape(architecture);
        let names = architecture.layout.image;
        let blocks = (0..architecture.dims.image.layers)
            .map(|i| block::open_clip(weights, &format!("{}{i}.", names.blocks()), shape));
        let blocks = blocks.collect::<Result<_>>()?;
        Ok(Self {
            dims: architecture.dims.image.clone(),
            patch_weight: weights.take(names.patch_embedding(), &[d, 3, p, p])?,
            patch_bias: None,
            class_token: weights.take("visual.class_embedding", &[d])?,
            positions: positions::load(weights, architecture, "visual.positional_embedding", &[])?,
            ln_pre: Some(weights.layer_norm("visual.ln_pre", d, architecture.image_eps)?),
            blocks,
            attention: attention_shape(architecture, None),
            ln_post: weights.layer_norm("visual.ln_post", d, architecture.image_eps)?,
            head: Linear {
                weight: weights.take("visual.proj", &[d, architecture.dims.embed_dim])?,
                bias: None,
                layout: WeightLayout::InOut,
                low_rank: None,
            },
            activation_limit: ACTIVATION_LIMIT,
            pool: Arc::default(),
            accelerator: None,
        })
    }

    fn load_eva(
        weights: &mut Weights,
        architecture: &Architecture,
        at: &str,
        names: &EvaNames,
    ) -> Result<Self> {
        let (d, p) = sizes(architecture);
        let shape = block_shape(architecture);
        let image = &architecture.dims.image;
        let grid = image.image_size / image.patch_size;
        let rope = |grid| Rope::new(grid, architecture.rope_grid, image.width / image.heads);
        // Stored tables are those of the stored grid.
        weights.check_rope(&rope(architecture.stored_grid))?;
        let rope = rope(grid);
        let blocks = (0..image.layers)
            .map(|i| block::eva(weights, &format!("{at}blocks.{i}."), names, shape));
        let blocks = blocks.collect::<Result<_>>()?;
        Ok(Self {
            dims: image.clone(),
            patch_weight: weights.take(&format!("{at}patch_embed.proj.weight"), &[d, 3, p, p])?,
            patch_bias: Some(weights.take(&format!("{at}patch_embed.proj.bias"), &[d])?),
            class_token: weights.take(&format!("{at}cls_token"), &[1, 1, d])?,
            positions: positions::load(weights, architecture, &format!("{at}pos_embed"), &[1])?,
            ln_pre: None,
            blocks,
            attention: attention_shape(architecture, Some(rope)),
            ln_post: weights.layer_norm(&format!("{at}norm"), d, architecture.image_eps)?,
            head: weights.linear(&format!("{at}head"), architecture.dims.embed_dim, d)?,
            activation_limit: ACTIVATION_LIMIT,
            pool: Arc::default(),
            accelerator: None,
        })
    }
}

/// Width and patch side.
fn sizes(architecture: &Architecture) -> (usize, usize) {
    let image = &architecture.dims.image;
    (image.width, image.patch_size)
}

fn block_shape(architecture: &Architecture) -> BlockShape {
    BlockShape {
        width: architecture.dims.image.width,
        mlp: architecture.dims.image.mlp,
        eps: architecture.image_eps,
        activation: architecture.image_activation,
    }
}

fn attention_shape(architecture: &Architecture, rope: Option<Rope>) -> AttentionShape {
    AttentionShape {
        heads: architecture.dims.image.heads,
        causal: false,
        rope: rope.map(Arc::new),
    }
}
