//! Backbones by alias: where their files are published, and what is known about them.

mod backbone;
mod table;

pub use backbone::{BackboneEntry, BackboneFile, NominalDims, TowerDims};
pub use table::{Aliases, backbone_files};
