//! Running a suite with progress on stderr.

use harness_engine::run::{Finished, Settings, run, run_watched};
use harness_live::Board;

use crate::failure::Failure;
use crate::live::{OnBoard, Told};
use crate::output;
use crate::progress::Reporter;

/// Runs a suite, and warns of what its report says. With `shows_logs`, also prints what plugins
/// write; what can be watched goes to `board` too.
pub(crate) fn measure<'s>(
    settings: &Settings<'s>,
    shows_logs: bool,
    board: Option<&Board>,
) -> Result<Finished<'s>, Failure> {
    let mut reporter = Reporter::new().with_logs(shows_logs);
    let result = match board {
        None => run(settings, &mut reporter),
        Some(board) => {
            let mut told = Told {
                observer: &mut reporter,
                board,
            };
            run_watched(settings, &mut told, &mut OnBoard(board))
        }
    };
    reporter.finish();
    let finished = result?;
    output::warn_of(&finished.report);
    Ok(finished)
}
