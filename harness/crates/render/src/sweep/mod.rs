//! Accuracy over one value of a method's configuration, as a table and a plot.

mod plot;
mod table;
#[cfg(test)]
mod tests;

pub use plot::svg;
pub use table::{head, rows};
