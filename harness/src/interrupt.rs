//! SIGINT, SIGTERM and SIGHUP: a flag that the scheduler looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use harness_engine::run::RunError;
use harness_report::ExitCode;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::failure::Failure;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static SCHEDULING: AtomicBool = AtomicBool::new(false);

/// How long the work before the first cell, such as hashing of inputs, may take to notice a
/// signal by itself.
const PATIENCE: Duration = Duration::from_millis(800);

/// Catches the signals from here on. The workers are in process groups of their own, so that
/// Ctrl-C reaches this process alone; they end with it.
///
/// The first signal sets the flag, and ends the process if nothing is scheduled yet, when there
/// is nothing to lose. The second ends it at once.
pub(crate) fn watch() -> Result<&'static AtomicBool, Failure> {
    let fail = |error| Failure::new(ExitCode::SetUp, format!("cannot catch signals: {error}"));
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(fail)?;
    let wait = move || {
        for _ in signals.forever() {
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(ExitCode::Outstanding.code()));
            }
            // Not on this thread, which waits for the second signal.
            let end = thread::Builder::new().spawn(end_unless_scheduled);
            if end.is_err() {
                end_unless_scheduled();
            }
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(wait)
        .map_err(fail)?;
    Ok(&INTERRUPTED)
}

/// Ends the process in a moment if nothing is scheduled by then.
fn end_unless_scheduled() {
    if SCHEDULING.load(Ordering::Relaxed) {
        return;
    }
    thread::sleep(PATIENCE);
    if !SCHEDULING.load(Ordering::Relaxed) {
        let failure = Failure::from(RunError::Interrupted).report();
        std::process::exit(i32::from(failure.code()));
    }
}

/// Notes that the scheduler runs, which ends its workers in order when it is interrupted.
pub(crate) fn scheduling() {
    SCHEDULING.store(true, Ordering::Relaxed);
}

/// Makes a write beyond `ulimit -f` an error like that of a full disk; unhandled, its signal
/// kills the process and leaves what was half written.
pub(crate) fn ignore_file_size_limit() {
    // Where it cannot be caught, the limit kills, as it does everywhere.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}
