//! `harness export`.

use std::path::PathBuf;

use harness_report::export::export as write_file;
use harness_report::{ExitCode, Report};

use crate::cli::ExportArguments;
use crate::failure::Failure;

pub(crate) fn export(arguments: &ExportArguments) -> Result<ExitCode, Failure> {
    let report =
        Report::read(&arguments.report).map_err(|error| Failure::new(ExitCode::SetUp, error))?;
    Ok(write(&report, &arguments.output))
}

/// Writes every file that can be written, and reports the others.
pub(super) fn write(report: &Report, files: &[PathBuf]) -> ExitCode {
    let codes = files.iter().map(|path| match write_file(report, path) {
        Ok(()) => ExitCode::Ok,
        Err(error) => Failure::new(ExitCode::OutputNotWritten, error).report(),
    });
    codes.fold(ExitCode::Ok, ExitCode::worst)
}
