//! A report against a baseline: non-inferiority cell by cell, Holm's correction over all of
//! them, and what to say of it.
//!
//! A cell here is a method on a data set across an upgrade with all its seeds. What is
//! compared is New, on the same images under the same seeds.

mod accept;
mod comparison;
mod failure;
mod github;
mod judge;
mod mismatch;
mod render;
#[cfg(test)]
mod tests;

pub use accept::{AcceptError, accept};
pub use comparison::{Comparison, Outcome};
pub use github::{STEP_SUMMARY_LIMIT, annotations, step_summary};
pub use judge::{Judgement, judge};
pub use mismatch::{Mismatch, mismatches};
pub use render::{Commands, render, render_difference};
