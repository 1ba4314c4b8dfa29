//! Lines on stderr and in the log.

use std::fmt::Arguments;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use harness_report::ExitCode;

use crate::cli::Logging;
use crate::failure::Failure;

/// Prints a line on stderr, as `eprintln!` does, and goes on where nobody can read it: a closed
/// pipe or terminal must not end a run.
macro_rules! say {
    ($($argument:tt)*) => { $crate::stderr::say(format_args!($($argument)*)) };
}

struct Stderr {
    is_quiet: bool,
    is_verbose: bool,
    log: Option<Mutex<std::fs::File>>,
    started: Instant,
}

static STDERR: OnceLock<Stderr> = OnceLock::new();

/// Sets what is told from here on.
pub(crate) fn set(logging: &Logging) -> Result<(), Failure> {
    let log = logging.log.as_deref().map(create).transpose()?;
    // Only `main` calls this, once.
    let _ = STDERR.set(Stderr {
        is_quiet: logging.quiet,
        is_verbose: logging.verbose,
        log: log.map(Mutex::new),
        started: Instant::now(),
    });
    Ok(())
}

fn create(path: &Path) -> Result<std::fs::File, Failure> {
    std::fs::File::create(path).map_err(|error| {
        let message = format!("{}: cannot be written: {error}", path.display());
        Failure::new(ExitCode::OutputNotWritten, message)
    })
}

/// A line that is always told; in quiet mode not if it is a warning or a note.
pub(crate) fn say(line: Arguments<'_>) {
    log(line);
    let text = line.to_string();
    let is_aside = text.starts_with("warning: ") || text.starts_with("note: ");
    if !(is_quiet() && is_aside) {
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// A line of the log.
pub(crate) fn log(line: Arguments<'_>) {
    let Some(Stderr {
        log: Some(file),
        started,
        ..
    }) = STDERR.get()
    else {
        return;
    };
    if let Ok(mut file) = file.lock() {
        let elapsed = started.elapsed().as_secs_f64();
        let _ = writeln!(file, "[{elapsed:10.3}] {line}");
    }
}

/// Whether progress, warnings and notes are left out.
pub(crate) fn is_quiet() -> bool {
    STDERR.get().is_some_and(|stderr| stderr.is_quiet)
}

/// Whether every finished unit is told.
pub(crate) fn is_verbose() -> bool {
    STDERR.get().is_some_and(|stderr| stderr.is_verbose)
}
