//! Image features where no gradient is asked for: the tower on slices, without a graph.
//!
//! A few images go through all blocks at once, in buffers that are used again by every block and
//! every group of images. Weights are read where they lie; low-rank changes are added to a copy.
//! The last block computes the class tokens alone, because only they are read after it. Groups are
//! spread over the threads, and so are the rows of images that are fewer than the threads. An
//! image's features do not depend on the images beside it or on the number of threads, bit for bit.

mod blocks;
mod frozen;
mod groups;
mod inputs;
mod rows;
mod weights;
mod workspace;

pub(super) use frozen::Frozen;
pub(super) use inputs::write_patches;
