//! Pages of the images whose answers changed in an upgrade.
//!
//! One page for each method and data set, each a file that loads nothing from anywhere, and an
//! index of them.

mod index;
mod page;
mod picture;
mod templates;
#[cfg(test)]
mod tests;
mod words;
mod write;

pub use picture::{Picture, Pictures};
pub use write::{PagesError, write_pages};
