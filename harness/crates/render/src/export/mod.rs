//! A report as a file for others to read, the format chosen by the file's ending.
//!
//! Every name and message in a report may have been written by someone else. Each
//! exporter passes them through [`one_line`](crate::terminal::one_line) and then
//! through its own format's escaping, so that they stay text.

mod comparison;
mod csv;
mod format;
mod html;
mod junit;
mod latex;
mod markdown;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
mod write;

pub use format::{Format, UnknownEnding};
pub use latex::{Metric, TableOptions, TableWidth};
pub use markdown::markdown_text;
pub use write::{ExportError, FormatError, export, export_comparison, page};

/// Most columns of a name in a file.
const NAME: usize = 120;
/// Most columns of a message in a file.
const MESSAGE: usize = 1000;
