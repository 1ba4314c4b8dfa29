//! Writing reports in the formats that were asked for.

use std::path::{Path, PathBuf};

use harness_render::export::{ExportError, TableOptions, export};
use harness_report::{ExitCode, Report};
use harness_store::collect_drafts;

use crate::failure::Failure;

/// Writes every file that can be written, and reports the others.
pub(crate) fn write(report: &Report, tables: &TableOptions, files: &[PathBuf]) -> ExitCode {
    write_each(files, |path| export(report, tables, path))
}

/// Calls `write` with every file, and reports those that failed.
pub(crate) fn write_each(
    files: &[PathBuf],
    write: impl Fn(&Path) -> Result<(), ExportError>,
) -> ExitCode {
    for path in files {
        collect_drafts(path);
    }
    let codes = files.iter().map(|path| match write(path) {
        Ok(()) => ExitCode::Ok,
        Err(error) => Failure::new(ExitCode::OutputNotWritten, error).report(),
    });
    codes.fold(ExitCode::Ok, ExitCode::worst)
}
