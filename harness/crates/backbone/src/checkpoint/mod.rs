//! From files to checked tensors: files, layout, dimensions, values.

mod architecture;
mod catalog;
mod config;
mod files;
mod layout;
mod prefix;
mod rope_buffers;
mod safetensors;
mod unsupported;
mod weights;

pub use architecture::Architecture;
pub(crate) use catalog::Catalog;
pub(crate) use config::Config;
pub(crate) use files::Files;
pub use layout::CheckpointLayout;
pub(crate) use layout::{ImageNames, TextNames};
pub(crate) use safetensors::{read_catalog, read_tensors};
pub(crate) use weights::Weights;
