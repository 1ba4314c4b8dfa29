//! Accuracy over one value of a method's configuration, as a table.

mod table;
#[cfg(test)]
mod tests;

pub use table::{head, rows};
