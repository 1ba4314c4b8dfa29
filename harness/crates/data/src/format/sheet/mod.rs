//! The sheet format: `dataset.json` and one PNG sprite sheet per split.
//!
//! Tiles are row-major, all of one size. Thousands of small pictures in one file compress and load
//! far better than as files of their own.

mod manifest;
mod read;
mod write;

pub(crate) use read::SheetFormat;
pub use write::{DatasetSpec, SplitTiles, Tiles, write};
