//! candle-transformers' CLIP: an independent forward pass to compare the towers with.
//!
//! A crate of its own because candle-transformers takes longer to compile than everything else here,
//! and only `harness verify --reference` and the tests need it. It knows the backbone and nothing
//! else.

mod clip;

pub use clip::ReferenceClip;
