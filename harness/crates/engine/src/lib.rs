//! From a suite to a report: suites, the registry of what their names mean, the plan, its
//! cost, and workers that carry it out.
//!
//! It knows backbones, data, plugins through `harness-host`, and the result types of
//! `harness-report`. It must not know how a report is shown, nor the command line.

pub mod analysis;
mod author_job;
pub mod cards;
pub mod convert;
pub mod cost;
pub mod data;
pub mod device;
pub mod distribute;
pub mod fetch;
pub mod images;
pub mod job;
pub mod lock;
pub mod modules;
pub mod plan;
pub mod plugin_check;
mod plugin_ref;
pub mod predict;
pub mod registry;
pub mod run;
pub mod schedule;
mod side_files;
pub mod suite;
pub mod worker;
