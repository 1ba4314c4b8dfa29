//! Tables for a paper, to be read with `\input` by a document that loads booktabs and siunitx.

mod chain;
mod document;
mod entry;
mod escape;
mod layout;
mod measured;
mod options;
mod panel;
#[cfg(test)]
mod tests;

pub(crate) use document::latex;
pub use options::{Metric, TableOptions, TableWidth};
