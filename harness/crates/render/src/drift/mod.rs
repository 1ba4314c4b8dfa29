//! The change of a text tower from one backbone to another, as a table and a plot.

mod plot;
mod table;

pub use plot::svg;
pub use table::{dataset_head, dataset_rows, head, rows};
