//! SIGINT and SIGTERM: a flag that the scheduler looks at.

use std::sync::atomic::{AtomicBool, Ordering};

use harness_report::ExitCode;

use crate::failure::Failure;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Catches the signals from here on. The workers are in process groups of their
/// own, so that Ctrl-C reaches this process alone.
pub(crate) fn watch() -> Result<&'static AtomicBool, Failure> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed))
        .map_err(|error| Failure::new(ExitCode::SetUp, format!("cannot catch signals: {error}")))?;
    Ok(&INTERRUPTED)
}
