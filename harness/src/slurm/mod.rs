//! Slurm: scripts for it, what its commands print, and what became of its jobs.

mod client;
mod history;
mod lock;
mod options;
mod queue;
mod script;
mod state;

pub(crate) use client::Client;
pub(crate) use history::{causes, floors, live_units};
pub(crate) use lock::SubmitLock;
pub(crate) use options::choose;
pub(crate) use queue::Queue;
pub(crate) use script::{Invocation, Scripts, write_scripts};
pub(crate) use state::TaskState;

/// Seconds before the time limit at which a task is told to stop.
pub(crate) const LEAD_SECONDS: u64 = 60;
/// Times that a task is put back into the queue.
pub(crate) const RESTARTS: u32 = 2;
