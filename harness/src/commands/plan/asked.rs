//! What a plan was asked for, and the command that runs a part of it.

use std::fmt::Write;

use harness_report::selection::Selection;

use crate::cli::SuiteArguments;
use crate::suite_options::suite_options;

/// What the command line asks of a plan.
pub(super) struct Asked<'a> {
    pub(super) suite: &'a SuiteArguments,
    /// GPUs or cores that the workers on this machine share.
    pub(super) here: usize,
    /// Those of another one.
    pub(super) there: Option<usize>,
    /// Seconds.
    pub(super) budget: Option<f64>,
}

impl Asked<'_> {
    /// GPUs or cores that a budget is for.
    pub(super) fn processors(&self) -> usize {
        self.there.unwrap_or(self.here)
    }
}

/// The command that runs a selection, as a shell takes it.
pub(super) fn run_command(asked: &Asked<'_>, selection: &Selection) -> String {
    let arguments = asked.suite;
    let mut command = format!(
        "harness run {}",
        suite_options(arguments, &arguments.suite, None)
    );
    for (name, number) in [
        ("--jobs", arguments.jobs.map(u64::from)),
        ("--memory", arguments.memory),
    ] {
        if let Some(number) = number {
            let _ = write!(command, " {name} {number}");
        }
    }
    if arguments.fresh {
        command.push_str(" --fresh");
    }
    command + &selection.arguments()
}
