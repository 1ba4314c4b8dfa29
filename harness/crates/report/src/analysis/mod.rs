//! From measured cells to a decision: for each method × data set × upgrade over its seeds
//! a [`Verdict`] with its reason, and a [`Recommendation`] with its cost.
//!
//! [`analyse`] gives all of it for a report. Every number in it is a fraction; every text is
//! free of anything but what names the report brought, so whoever prints it must make it
//! safe for the place where it lands.

mod analyse;
mod assess;
mod assessment;
mod averages;
mod chain;
#[cfg(test)]
mod chain_tests;
mod claims;
mod decide;
mod effect;
mod leaders;
mod measured;
mod ranks;
mod recommendation;
#[cfg(test)]
mod split_tests;
#[cfg(test)]
mod tests;
mod verdict;
mod words;

pub use analyse::{Analysis, analyse};
pub use assessment::{Assessment, Missing, Retrained};
pub use averages::{AverageRatio, MethodAverages, Spread};
pub use chain::{ChainAnalysis, ChainRow, Step, StepClaim, Stop};
pub use claims::Claim;
pub use decide::Deciding;
pub use effect::{Effect, Ratio};
pub use leaders::{Contender, Leaders, leaders};
pub use ranks::RankStability;
pub use recommendation::{Evidence, Recommendation};
pub use verdict::Verdict;
