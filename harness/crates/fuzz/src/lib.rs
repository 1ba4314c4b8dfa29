//! Every reader of files against mutated input: it may refuse, and must neither panic nor hang nor
//! take more memory than its input warrants.
//!
//! A [`Reader`] is an ordinary function over bytes with a few samples of what it reads. The
//! driver `harness-fuzz` mutates the samples on stable Rust; the targets in `harness/fuzz` hand
//! the same functions to cargo-fuzz.

mod driver;
mod json;
mod mutate;
mod names;
mod readers;
mod samples;
mod text;

pub use driver::{Counts, Failure, drive, input};
pub use readers::{READERS, Reader, Shape};
