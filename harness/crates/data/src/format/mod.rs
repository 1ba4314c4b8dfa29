//! One module per data set format; `contract` is what each implements, `registry` lists them.

mod aircraft;
mod contract;
mod directory;
mod folder;
mod imagenet;
mod parquet;
mod registry;
mod split_file;
pub mod sprite_sheet;
mod table;
mod webdataset;

pub(crate) use contract::Request;
pub(crate) use registry::{list, resolve};
pub use split_file::{SplitFile, SplitItem};
