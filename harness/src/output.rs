//! Results on stdout.

use std::io::{ErrorKind, IsTerminal, Write, stdout};

use harness_render::terminal::{Style, one_line};
use harness_report::{ExitCode, Report};
use serde::Serialize;

use crate::cli::When;
use crate::failure::Failure;

/// Writes text to stdout. A reader that stops early is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(
            ExitCode::OutputNotWritten,
            format!("cannot write to stdout: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(value);
    let json = json.map_err(|error| Failure::new(ExitCode::OutputNotWritten, error))?;
    print(&(json + "\n"))
}

/// Prints what is suspicious in a report on stderr.
pub(crate) fn warn_of(report: &Report) {
    const SHOWN: usize = 5;
    let found = report.warnings();
    for finding in found.iter().take(SHOWN) {
        say!("warning: {}", one_line(&finding.to_string(), 400));
    }
    if found.len() > SHOWN {
        say!("warning: and {} more of this kind", found.len() - SHOWN);
    }
}

/// How results look: colour as asked, tables as wide as the terminal.
pub(crate) fn style(when: When) -> Style {
    Style {
        colour: colours(when, stdout().is_terminal()),
        width: width(),
    }
}

/// `NO_COLOR` and `CLICOLOR_FORCE` count where the command line leaves it open.
pub(crate) fn colours(when: When, is_terminal: bool) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if is_set("NO_COLOR") => false,
        When::Auto => is_terminal || is_set("CLICOLOR_FORCE"),
    }
}

/// Columns of the terminal, if stdout is one or `COLUMNS` says.
pub(crate) fn width() -> Option<usize> {
    let of_terminal = console::Term::stdout().size_checked();
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    columns.or(of_terminal.map(|(_, columns)| usize::from(columns)))
}
