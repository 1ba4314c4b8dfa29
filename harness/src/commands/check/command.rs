//! Runs the modules' suite and prints what follows.

use harness_engine::run::Settings;
use harness_report::{ExitCode, Status};

use super::result::{CheckResult, render};
use super::suite::modules_suite;
use crate::cli::CheckModulesArguments;
use crate::fail_on::fail_on;
use crate::failure::Failure;
use crate::measure::measure;
use crate::outcome::outcome;
use crate::report_files::write;
use crate::settings::{command_line, places, worker_command};
use crate::writable::check_files;
use crate::{interrupt, output};
use harness_render::export::TableOptions;

pub(crate) fn check(arguments: &CheckModulesArguments) -> Result<ExitCode, Failure> {
    let places = places()?.with_data(arguments.data.as_deref(), None);
    check_files(&arguments.output)?;
    let settings = Settings {
        // Paths in the suite are relative to the current folder.
        text: Some(modules_suite(arguments, &places)?),
        store: arguments.store.clone(),
        data: arguments.data.clone(),
        jobs: arguments.jobs.map(usize::from),
        rehash: arguments.rehash,
        command_line: command_line(),
        ..Settings::new("check".into(), worker_command()?, interrupt::watch()?)
    };
    let finished = measure(&settings, false, None)?;
    let report = &finished.report;
    let mut code = outcome(report);
    code = code.worst(write(report, &TableOptions::default(), &arguments.output));
    let result = CheckResult::of(report);
    match arguments.json {
        true => output::print_json(&result)?,
        false => output::print(&render(&result, report, &output::style(arguments.color)))?,
    }
    if report
        .cells
        .iter()
        .any(|cell| cell.status == Status::NotRun)
    {
        say!("interrupted; run the same command again to continue");
    }
    Ok(code.worst(fail_on(&arguments.fail_on, report)))
}
