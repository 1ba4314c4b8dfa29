//! The numbers that decide which modules fit a backbone.

use serde::{Deserialize, Serialize};

/// Nonlinearity of the plain two-layer MLP blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x * sigmoid(1.702 x)`, what OpenAI trained CLIP with.
    QuickGelu,
    /// `x * Phi(x)` with the exact normal distribution function.
    Gelu,
}

/// Dimensions of a backbone, readable without its weights.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dims {
    /// Length of the joint image-text feature.
    pub embed_dim: usize,
    /// The text tower.
    pub text: TextDims,
    /// The image tower.
    pub image: ImageDims,
}

/// Dimensions of the text tower.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TextDims {
    /// Length of a token embedding.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Attention heads per block.
    pub heads: usize,
    /// Width of the hidden layer of an MLP.
    pub mlp: usize,
    /// Longest sequence, start and end tokens included.
    pub context_length: usize,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Nonlinearity of the MLPs.
    pub activation: Activation,
}

/// Dimensions of the image tower.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ImageDims {
    /// Length of a patch token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Attention heads per block.
    pub heads: usize,
    /// Width of the hidden layer of an MLP.
    pub mlp: usize,
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// Side of the square input in pixels.
    pub image_size: usize,
    /// Patch tokens per image, the class token not counted.
    pub patches: usize,
    /// Whether tokens pass a LayerNorm before the first block (CLIP does, EVA02 does not).
    pub has_ln_pre: bool,
    /// Whether attention rotates queries and keys of patch tokens (EVA02).
    pub has_rope: bool,
}
