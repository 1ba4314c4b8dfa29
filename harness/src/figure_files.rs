//! Writing the figures of a report.

use std::path::Path;

use harness_figures::{FigureError, figures};
use harness_report::{ExitCode, Report};

use crate::cli::FigureArguments;
use crate::failure::Failure;

/// Draws every figure that the report has the numbers of, and says which were left out.
pub(crate) fn write_figures(
    report: &Report,
    folder: &Path,
    arguments: &FigureArguments,
) -> ExitCode {
    let write = || -> Result<usize, FigureError> {
        let (figures, skipped) = figures(report, arguments.look.options())?;
        let formats = arguments.formats();
        for figure in &figures {
            figure.write(folder, &formats)?;
        }
        for one in skipped {
            say!("no figure of {}: {}", one.figure, one.why);
        }
        Ok(figures.len())
    };
    match write() {
        Ok(count) => {
            say!("wrote {count} figures to {}", folder.display());
            ExitCode::Ok
        }
        Err(error) => {
            let message = format!("figures in {}: {error}", folder.display());
            Failure::new(ExitCode::OutputNotWritten, message).report()
        }
    }
}
