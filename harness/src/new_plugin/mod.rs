//! A new plugin: a crate or a Python file that passes its checks and runs as it is.

mod files;
mod name;
mod sdk;

pub(crate) use files::{library, write, write_python};
pub(crate) use name::PluginName;
pub(crate) use sdk::Sdk;
