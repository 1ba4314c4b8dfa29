//! The sprite sheet format: `dataset.json` and one PNG sprite sheet per split.
//!
//! Tiles are row-major and of the same size. Thousands of small images compress and load far better
//! in one file than in files of their own.

mod manifest;
mod read;
mod write;

pub(crate) use read::SpriteSheetFormat;
pub use write::{DatasetSpec, SplitTiles, Tiles, write};
