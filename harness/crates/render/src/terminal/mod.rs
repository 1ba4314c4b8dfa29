//! A report as text for a terminal.

mod classes;
mod draw;
mod explanations;
mod footnotes;
mod grid;
mod left_out;
mod render;
mod style;
#[cfg(test)]
mod tests;
mod wrap;

pub use crate::text::one_line;
pub use render::render;
pub use style::Style;
