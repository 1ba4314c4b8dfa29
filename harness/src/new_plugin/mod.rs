//! A new plugin: a crate that builds, passes its checks and runs as it is.

mod files;
mod name;
mod sdk;

pub(crate) use files::{library, write};
pub(crate) use name::PluginName;
pub(crate) use sdk::Sdk;
