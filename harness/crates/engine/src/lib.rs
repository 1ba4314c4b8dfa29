//! From a suite to a report: suites, plan, workers, plugin loading.

pub mod job;
pub mod store;
pub mod suite;
