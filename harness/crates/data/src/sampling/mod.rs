//! Few-shot sampling that picks the same images as CoOp's data loader for the same seed.

mod few_shot;
mod mersenne;

pub use few_shot::{Picks, Sampler, few_shot};
pub use mersenne::Mersenne;
