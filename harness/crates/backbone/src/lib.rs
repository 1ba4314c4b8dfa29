//! CLIP-family backbones: two differentiable towers loaded from safetensors, with tokenizer and image
//! transform.
//!
//! Layouts are detected from tensor names; dimensions come from the tensors and the configuration.
//! Gradients flow to everything that is tracked, above all contexts and edits of prompts, and never
//! to frozen weights.
//!
//! It knows checkpoints in safetensors, tokens and images. It must not know data sets, hubs, plugins
//! or suites.

mod augment;
mod backbone;
mod block;
mod checkpoint;
mod device;
mod dims;
mod edits;
mod engine;
mod error;
mod image;
mod kernels;
mod matrix;
mod modules;
mod names;
mod ops;
mod published;
mod text;
mod tokenizer;
mod transform;

pub use augment::{Region, View};
pub use backbone::{Backbone, digest, read_tensors};
pub use checkpoint::{Architecture, CheckpointLayout};
pub use device::{DeviceKind, NoDevice, Precision};
pub use dims::{Activation, Dims, ImageDims, TextDims};
pub use edits::{BiasMode, WeightEdit};
pub use error::{BackboneError, Result};
pub use image::{ImageEdit, ImageTower};
pub use names::NamedParameter;
pub use ops::Dropout;
pub use published::{clip_b16, clip_l14, published};
pub use text::{
    ACTIVATION_LIMIT, PromptBatch, Segment, TextEdit, TextParameter, TextPath, TextTower, TextWork,
    TokenRows,
};
pub use tokenizer::Tokenizer;
pub use transform::{Crop, Filter, ImageTransform, Resize, Rounding};
