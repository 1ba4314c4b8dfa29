//! `harness data`.

mod check;
mod picks;

use harness_report::ExitCode;

use crate::cli::DataAction;
use crate::failure::Failure;

pub(crate) fn data(action: &DataAction) -> Result<ExitCode, Failure> {
    match action {
        DataAction::Picks(arguments) => picks::picks(arguments),
        DataAction::Check(arguments) => check::check(arguments),
    }
}
