//! `harness diff`.

use harness_render::gate::render_difference;
use harness_report::gate::judge;
use harness_report::selection::Selection;
use harness_report::{Cell, ExitCode, GateRule};

use crate::cli::DiffArguments;
use crate::failure::Failure;
use crate::output;
use crate::reports::{read_report, refuse_mismatches, selected};

pub(crate) fn diff(arguments: &DiffArguments) -> Result<ExitCode, Failure> {
    let old = read_report(&arguments.old, arguments.allow_edited)?;
    let new = read_report(&arguments.new, arguments.allow_edited)?;
    let selection: Selection = arguments.only.iter().cloned().collect();
    selected(&selection, [&old, &new])?;
    let wanted = |cell: &Cell| selection.admits(&cell.into());
    let judgement = judge(&new, &old, GateRule::default(), wanted);
    refuse_mismatches(&judgement, &arguments.old, arguments.allow_mismatch)?;
    let style = output::style(arguments.color);
    output::print(&render_difference(&judgement, &style))?;
    Ok(ExitCode::Ok)
}
