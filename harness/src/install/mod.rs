//! What an installation consists of, and the two ways to write it.

mod archive;
mod contents;
mod manual;
mod prefix;

pub(crate) use archive::write_archive;
pub(crate) use contents::Contents;
pub(crate) use prefix::{install, uninstall};
