//! Backbones by name: where their files are published and what is known of them.

mod entry;
mod table;

pub use entry::{Dims, Entry, FileEntry, Tower};
pub use table::{Aliases, backbone_files};
