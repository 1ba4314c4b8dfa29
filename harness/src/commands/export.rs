//! `harness export`.

use std::path::{Path, PathBuf};

use harness_render::export::{ExportError, export as write_file, export_comparison};
use harness_report::gate::judge;
use harness_report::selection::Selection;
use harness_report::{ExitCode, GateRule, Report};

use super::gate::{refuse_mismatches, selected};
use crate::cli::ExportArguments;
use crate::failure::Failure;

pub(crate) fn export(arguments: &ExportArguments) -> Result<ExitCode, Failure> {
    let read =
        |path: &Path| Report::read(path).map_err(|error| Failure::new(ExitCode::SetUp, error));
    let selection: Selection = arguments.only.iter().cloned().collect();
    let report = read(&arguments.report)?;
    selected(&selection, [&report])?;
    let report = selection.restrict(report);
    let Some(path) = &arguments.compare else {
        return Ok(write(&report, &arguments.output));
    };
    let old = selection.restrict(read(path)?);
    let judgement = judge(&report, &old, GateRule::default(), |_| true);
    refuse_mismatches(&judgement, path, arguments.allow_mismatch)?;
    Ok(write_each(&arguments.output, |path| {
        export_comparison(&report, &old, path)
    }))
}

/// Writes every file that can be written, and reports the others.
pub(super) fn write(report: &Report, files: &[PathBuf]) -> ExitCode {
    write_each(files, |path| write_file(report, path))
}

fn write_each(files: &[PathBuf], write: impl Fn(&Path) -> Result<(), ExportError>) -> ExitCode {
    let codes = files.iter().map(|path| match write(path) {
        Ok(()) => ExitCode::Ok,
        Err(error) => Failure::new(ExitCode::OutputNotWritten, error).report(),
    });
    codes.fold(ExitCode::Ok, ExitCode::worst)
}
