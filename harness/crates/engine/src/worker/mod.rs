//! The worker process: one plugin, one job at a time.
//!
//! A plugin's crash takes its worker along and nothing else; the scheduler marks
//! the job and starts another.

mod channel;
mod desk;
mod error;
mod evaluation;
mod features;
mod jobs;
mod pixels;
mod serve;
mod usage;

pub(crate) use serve::die_with_the_scheduler;
pub use serve::serve;
