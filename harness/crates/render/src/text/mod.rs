//! Words, numbers and sentences that more than one format prints.

mod carried;
mod glyph;
mod heading;
mod numbers;
mod sanitise;
mod status;
mod verdicts;

pub(crate) use carried::carried;
pub(crate) use glyph::{DOWN, GOOD, LESS, MISSING, UP};
pub(crate) use heading::{heading, summary_line};
pub(crate) use numbers::{NOT_AVAILABLE, count, list, percent, points, share};
pub(crate) use sanitise::command;
pub use sanitise::one_line;
pub(crate) use status::{reason, word};
pub(crate) use verdicts::verdicts;

/// Most columns of a name in a sentence or a table of a terminal.
pub(crate) const NAME: usize = 40;
