//! The worker process: one plugin, one job at a time.
//!
//! A plugin that crashes ends its worker and nothing else: the scheduler marks the job
//! as crashed and starts another worker.

mod bench;
mod channel;
mod check;
mod compare;
mod context;
mod device;
mod error;
mod evaluation;
mod features;
mod jobs;
mod memory;
mod pixels;
mod predict;
mod serve;
mod state;
mod trial;
mod usage;

pub(crate) use memory::WorkerMemory;
pub(crate) use serve::die_with_the_scheduler;
pub use serve::serve;
