//! From cells to the rows of the tables.
//!
//! The averaging rule: for each seed over data sets, then mean and interval over
//! seeds; of several splits over these, each the mean of its trainings. A method's averages are over those data sets on which every one of its seeds
//! was measured; which ones were left out is kept beside the number.

mod block;
mod entry;
mod summary;
#[cfg(test)]
mod tests;

pub use block::{Block, MethodRow, ZeroShot, ZeroShotRow, blocks};
pub use entry::{MatrixEntry, Measured, Problem};
pub use summary::{Summary, ZeroShotSummary};
