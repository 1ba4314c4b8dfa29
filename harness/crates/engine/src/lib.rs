//! From a suite to a report: suites, plan, workers, plugin loading.

pub mod analysis;
pub mod cards;
pub mod convert;
pub mod cost;
pub mod data;
pub mod fetch;
pub mod images;
pub mod job;
pub mod plan;
pub mod registry;
pub mod run;
pub mod schedule;
pub mod suite;
pub mod worker;
