//! `harness data`.

mod check;
mod few_shot;

use harness_report::ExitCode;

use crate::cli::DataAction;
use crate::failure::Failure;

pub(crate) fn data(action: &DataAction) -> Result<ExitCode, Failure> {
    match action {
        DataAction::FewShot(arguments) => few_shot::few_shot(arguments),
        DataAction::Check(arguments) => check::check(arguments),
    }
}
