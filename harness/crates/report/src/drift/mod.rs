//! How far two backbones lie apart, layer by layer of their text towers.
//!
//! What ContCoOp's paper shows in Fig. 2b and 2c: change of parameters, and change of the features
//! at the end token over class prompts.

mod change;
mod types;

pub use change::ChangeSum;
pub use types::{Backbone, Change, DatasetDrift, Drift, FeatureChange, LayerDrift, ParameterDrift};
