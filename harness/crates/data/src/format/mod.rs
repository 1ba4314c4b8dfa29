//! One module per format of data set; `registry` is the list of them.

mod folder;
mod registry;
pub mod sheet;

pub(crate) use registry::detect;
