//! Keeps freed memory for the next step instead of handing it back to the system.
//!
//! A training step frees and asks again for hundreds of buffers of a few MiB. glibc maps and unmaps
//! each, and fresh pages must be cleared: more than half of the time on a busy machine. Its settings
//! are read when a process starts, so the program starts itself again with them.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// glibc's settings; 32 MiB is the largest threshold it takes.
const SETTINGS: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "33554432"),
    ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
    ("MALLOC_TOP_PAD_", "268435456"),
];

/// Replaces the process by one with the settings, unless it has them.
///
/// # Errors
/// When the program cannot be started again; it may then as well go on, only slower.
pub(crate) fn keep_freed_memory() -> std::io::Result<()> {
    if SETTINGS
        .iter()
        .all(|(name, _)| std::env::var_os(name).is_some())
    {
        return Ok(());
    }
    let program = std::env::current_exe()?;
    let arguments = std::env::args_os().skip(1);
    Err(Command::new(program).args(arguments).envs(SETTINGS).exec())
}
