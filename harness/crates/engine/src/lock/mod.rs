//! `harness.lock`: the plugins and repositories that a suite was accepted with.

mod check;
mod error;
mod file;
mod make;

pub use check::Lock;
pub use error::{LockDifference, LockError};
pub use file::{LOCK_FILE, LockedPlugin, PluginSource, SuiteLock};
pub use make::lock;
