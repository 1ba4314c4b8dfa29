//! A pool of worker processes that does tasks in the order of their needs.
//!
//! A worker is this executable again, in a process group of its own, with one
//! plugin at most. Whatever it does, crash, hang or talk nonsense, is the result
//! of the one task it had in hand; the others go on.

mod pool;
mod progress;
mod tail;
mod task;
#[cfg(test)]
mod tests;
mod worker;

pub use pool::{Done, Pool, PoolError};
pub use progress::{Observer, Progress, Silent};
pub use task::{Task, TaskResult};
pub use worker::WorkerCommand;
