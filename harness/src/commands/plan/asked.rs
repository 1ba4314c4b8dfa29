//! What a plan was asked for, and the command that runs a part of it.

use std::fmt::Write;
use std::path::PathBuf;

use harness_report::selection::Selection;
use harness_report::shell::quote;

use crate::cli::SuiteArguments;

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
    let SuiteArguments {
        suite,
        jobs,
        store,
        data,
        fresh,
        plugin,
        method,
        ..
    } = asked.suite;
    let mut command = format!("harness run {}", quote(&suite.to_string_lossy()));
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(command, " {name} {}", quote(&value));
        }
    };
    let path = |path: &Option<PathBuf>| {
        let path = path.as_ref();
        path.map(|path| path.to_string_lossy().into_owned())
    };
    option("--jobs", jobs.map(|jobs| jobs.to_string()));
    option("--store", path(store));
    option("--data", path(data));
    for path in plugin {
        option("--plugin", Some(path.to_string_lossy().into_owned()));
    }
    for name in method {
        option("--method", Some(name.clone()));
    }
    if *fresh {
        command.push_str(" --fresh");
    }
    command + &selection.arguments()
}
