//! Reports for people: text for a terminal, files for others to read, and what the gate prints.
//!
//! It knows the result types, statistics and verdicts of `harness-report`. It must compute
//! none of them, and knows nothing of tensors, plugins, suites or the store's contents.

pub mod drift;
pub mod export;
#[cfg(test)]
#[path = "../../report/src/fixture.rs"]
mod fixture;
pub mod gate;
pub mod samples;
pub mod sweep;
mod tables;
pub mod terminal;
mod text;
