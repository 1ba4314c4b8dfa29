//! How much memory a worker may take.

use std::ffi::OsString;

/// Set by the scheduler, in bytes.
const VARIABLE: &str = "HARNESS_WORKER_MEMORY";

/// The environment variable that tells a worker its share of the memory.
pub(crate) fn memory_limit(bytes: u64) -> (OsString, OsString) {
    (VARIABLE.into(), bytes.to_string().into())
}

/// Bytes of activations that a text tower may keep: half of the worker's memory. The rest is for
/// weights, images and the plugin. None if the worker was told nothing.
pub(super) fn activation_limit() -> Option<usize> {
    let bytes: usize = std::env::var(VARIABLE).ok()?.parse().ok()?;
    Some(bytes / 2)
}
