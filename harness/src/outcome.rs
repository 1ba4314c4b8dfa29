//! The exit status of a run.

use harness_report::{ExitCode, Report, Status};

/// What the cells make of the exit status.
pub(crate) fn outcome(report: &Report) -> ExitCode {
    let codes = report.cells.iter().map(|cell| match cell.status {
        Status::Ok | Status::NotInjectable { .. } => ExitCode::Ok,
        Status::NotRun => ExitCode::Outstanding,
        Status::Failed { .. } | Status::Crashed { .. } | Status::TimedOut { .. } => {
            ExitCode::CrashedCell
        }
    });
    codes.fold(ExitCode::Ok, ExitCode::worst)
}
