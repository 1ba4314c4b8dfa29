//! CLIP-family backbones: two differentiable towers loaded from safetensors, tokenizer and image
//! transform.
//!
//! Weights are recognised by their tensor names, dimensions come from the tensors and the
//! configuration. Gradients flow to whatever is tracked, contexts and edits of prompts above all, and
//! never to frozen weights.

mod augment;
mod backbone;
mod block;
mod checkpoint;
mod dims;
mod edits;
mod error;
mod image;
mod names;
mod ops;
mod picture;
mod published;
mod reference;
mod text;
mod tokenizer;
mod transform;

pub use augment::{Region, View};
pub use backbone::{Backbone, digest};
pub use checkpoint::Layout;
pub use dims::{Activation, Dims, ImageDims, TextDims};
pub use edits::{BiasMode, WeightEdit};
pub use error::{BackboneError, Result};
pub use image::{ImageEdit, ImageTower};
pub use names::NamedParameter;
pub use ops::Dropout;
pub use picture::Picture;
pub use published::published;
pub use reference::ReferenceClip;
pub use text::{PromptBatch, Segment, TextEdit, TextParameter, TextTower, TokenRows};
pub use tokenizer::Tokenizer;
pub use transform::ImageTransform;
