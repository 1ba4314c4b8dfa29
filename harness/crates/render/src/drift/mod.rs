//! The change of a text tower from one backbone to another, as a table.

mod table;

pub use table::{dataset_head, dataset_rows, head, rows};
