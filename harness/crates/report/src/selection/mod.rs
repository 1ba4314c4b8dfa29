//! Which cells a command is about: `--only KEY=VALUE,…`.

mod labels;
mod select;
mod term;
#[cfg(test)]
mod tests;

pub use labels::CellLabels;
pub use select::{Selection, UnmatchedError};
pub use term::{Term, TermError};

use labels::Key;
