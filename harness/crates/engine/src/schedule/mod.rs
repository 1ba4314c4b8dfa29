//! A pool of worker processes that runs tasks in the order of their needs.
//!
//! A worker is this executable again, in a process group of its own, with one
//! plugin at most. A crash, a hang or malformed output is the result
//! of the one task it was doing; the others continue.

mod excerpt;
mod pool;
mod progress;
mod strays;
mod tail;
mod task;
#[cfg(test)]
mod tests;
mod worker;

pub use pool::{Done, Pool, PoolError};
pub use progress::{Observer, Progress, Reading, Running, Silent};
pub use task::{PoolTask, TaskError, TaskIndex, TaskResult};
pub use worker::WorkerCommand;
