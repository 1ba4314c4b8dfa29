//! A report as text for a terminal.

mod carried;
mod footnotes;
mod grid;
mod matrix;
mod numbers;
mod render;
mod sanitise;
mod style;
mod summary;
#[cfg(test)]
mod tests;
mod verdict;
mod wrap;

pub use render::{render, summary_line};
pub use sanitise::one_line;
pub use style::Style;
