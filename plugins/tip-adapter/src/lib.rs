//! Tip-Adapter and Tip-Adapter-F (Zhang et al., arXiv 2207.09519).
//!
//! A cache of the training images' features (keys) and labels (values) adds to the
//! zero-shot logits: 100 f W + alpha exp(-beta (1 - f F)) V. Tip-Adapter is not trained;
//! Tip-Adapter-F trains the keys.

mod cache;
mod config;
mod fine_tuned;
mod search;
mod training_free;

pub use config::{Config, Scale};
pub use fine_tuned::TipAdapterF;
pub use training_free::TipAdapter;

harness_sdk::export_plugin!(TipAdapter, TipAdapterF);
