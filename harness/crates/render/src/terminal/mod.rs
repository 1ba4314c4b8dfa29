//! A report as text for a terminal.

mod brief;
mod chain;
mod classes;
mod details;
mod draw;
mod explanations;
mod footnotes;
mod grid;
mod left_out;
mod render;
mod style;
mod table;
#[cfg(test)]
mod tests;
mod wrap;

pub use crate::text::one_line;
pub use chain::render_chains;
pub use render::{render, render_details};
pub use style::Style;
pub use table::{NamedEntries, entries, table};
pub use wrap::paragraph;
