//! Few-shot sampling that selects the same images as CoOp's data loader for the same seed.

mod few_shot;
mod mersenne;

pub use few_shot::{FewShotSplit, Sampler, UnknownSampler, few_shot};
pub use mersenne::Mersenne;
