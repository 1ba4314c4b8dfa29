//! Dimensions of the published backbones that methods are usually counted on.

use crate::dims::{Activation, Dims, ImageDims, TextDims};

/// OpenAI's CLIP ViT-B/16 (`b16`) or ViT-L/14 (`l14`).
pub fn published(name: &str) -> Option<Dims> {
    match name {
        "b16" => Some(clip_b16()),
        "l14" => Some(clip_l14()),
        _ => None,
    }
}

/// OpenAI's CLIP ViT-B/16 at 224 pixels.
pub fn clip_b16() -> Dims {
    clip(512, (768, 12), 16)
}

/// OpenAI's CLIP ViT-L/14 at 224 pixels.
pub fn clip_l14() -> Dims {
    clip(768, (1024, 24), 14)
}

/// The text tower is as wide as the joint space in both; heads are 64 wide.
fn clip(embed_dim: usize, (width, layers): (usize, usize), patch_size: usize) -> Dims {
    let image_size = 224;
    Dims {
        embed_dim,
        text: TextDims {
            width: embed_dim,
            layers: 12,
            heads: embed_dim / 64,
            mlp: 4 * embed_dim,
            context_length: 77,
            vocab_size: 49408,
            activation: Activation::QuickGelu,
        },
        image: ImageDims {
            width,
            layers,
            heads: width / 64,
            mlp: 4 * width,
            patch_size,
            image_size,
            patches: (image_size / patch_size) * (image_size / patch_size),
            has_ln_pre: true,
            has_rope: false,
        },
    }
}
