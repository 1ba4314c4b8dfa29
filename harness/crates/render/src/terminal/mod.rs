//! A report as text for a terminal.

mod carried;
mod changes;
mod classes;
mod cost;
mod decisions;
mod explanations;
pub(crate) mod footnotes;
mod grid;
mod left_out;
mod matrix;
pub(crate) mod numbers;
mod render;
mod sanitise;
pub(crate) mod style;
mod summary;
#[cfg(test)]
mod tests;
pub(crate) mod verdict;
mod wrap;

pub(crate) use carried::carried;
pub(crate) use footnotes::reason;
pub(crate) use render::heading;
pub use render::{render, summary_line};
pub use sanitise::one_line;
pub use style::Style;
