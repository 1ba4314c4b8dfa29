//! A report against a baseline: non-inferiority cell by cell, Holm's correction over all of
//! them.
//!
//! A cell here is a method on a data set across an upgrade with all its seeds. What is
//! compared is New, on the same images under the same seeds.

mod accept;
mod claim;
mod comparison;
mod evidence;
mod judge;
mod method;
mod mismatch;
#[cfg(test)]
mod tests;

pub use accept::{AcceptError, accept};
pub use comparison::{Comparison, Outcome};
pub use evidence::{BORROWED_DEVIATION, Evidence};
pub use judge::{Judgement, judge};
pub use method::MethodComparison;
pub use mismatch::{Mismatch, mismatches};
