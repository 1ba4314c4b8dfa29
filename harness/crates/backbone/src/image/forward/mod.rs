//! Image features where no gradient is asked for: the tower on slices, without a graph.
//!
//! A few images go through all blocks at once, in buffers that stay in the cache and are used again
//! by every block and every group of images. Weights are read where they lie. The last block
//! computes the class tokens alone, because only they are read after it. An image's features do
//! not depend on the images beside it or on the number of threads, bit for bit.

mod rows;
mod run;
mod weights;
mod workspace;

pub(super) use run::Frozen;
