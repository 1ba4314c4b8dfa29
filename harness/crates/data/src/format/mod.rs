//! One module per format of data set; `registry` is the list of them.

mod aircraft;
mod folder;
mod imagenet;
mod registry;
pub mod sheet;
mod split_file;
mod table;
mod webdataset;

pub(crate) use registry::Request;
pub use split_file::{SplitFile, SplitItem};
