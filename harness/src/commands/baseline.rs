//! `harness baseline`.

use std::path::Path;

use harness_report::gate::{AcceptError, accept};
use harness_report::selection::{Selection, Term};
use harness_report::{Cell, ExitCode, Report};

use crate::cli::BaselineAction;
use crate::failure::Failure;
use crate::output;
use crate::reports::{baseline_of, pinned_of, read_baseline, read_report, selected};

pub(crate) fn baseline(action: &BaselineAction) -> Result<ExitCode, Failure> {
    match action {
        BaselineAction::Accept {
            report,
            baseline,
            only,
            allow_edited,
        } => {
            let report = read_report(report, *allow_edited)?;
            let path = baseline_of(&report.suite.path, baseline.as_ref())?;
            accept_into(&report, &path, (only, *allow_edited))
        }
        BaselineAction::Pin { baseline } => {
            let report = read_baseline(baseline, false)?;
            let pinned = pinned_of(baseline);
            write(&report, &pinned)?;
            output::print(&format!(
                "Summary pinned={} reference={}\n",
                report.cells.len(),
                pinned.display()
            ))?;
            Ok(ExitCode::Ok)
        }
    }
}

/// Whether the file is itself a pinned reference, of which there is no other.
fn is_pinned(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".pinned.json")
}

fn write(report: &Report, path: &Path) -> Result<(), Failure> {
    let written = report.write(path);
    written.map_err(|error| Failure::new(ExitCode::OutputNotWritten, error))
}

fn accept_into(
    report: &Report,
    path: &Path,
    (only, allow_edited): (&[Term], bool),
) -> Result<ExitCode, Failure> {
    let old = path
        .exists()
        .then(|| read_baseline(path, allow_edited))
        .transpose()?;
    let selection: Selection = only.iter().cloned().collect();
    // What only the baseline has cannot be accepted, and would be dropped from it.
    selected(&selection, [report])?;
    let wanted = |cell: &Cell| selection.admits(&cell.into());
    let wanted: Option<&dyn Fn(&Cell) -> bool> = match selection.is_everything() {
        true => None,
        false => Some(&wanted),
    };
    let accepted = accept(report, old.as_ref(), wanted).map_err(|error| {
        let code = match error {
            AcceptError::Nothing => ExitCode::NothingSelected,
            AcceptError::Unfinished(_) => ExitCode::CrashedCell,
            AcceptError::Incomparable(_) => ExitCode::Incomparable,
            _ => ExitCode::SetUp,
        };
        Failure::new(code, format!("{}: not changed: {error}", path.display()))
    })?;
    let pinned = pinned_of(path);
    if let Some(old) = &old
        && !pinned.exists()
        && !is_pinned(path)
        && accepted != *old
    {
        // The first change of a baseline keeps what was first accepted.
        write(old, &pinned)?;
        say!(
            "note: {} keeps the first accepted baseline as reference",
            pinned.display()
        );
    }
    write(&accepted, path)?;
    let before = old.as_ref().map_or(&[][..], |old| &old.cells);
    let changed = accepted.cells.iter().filter(|cell| !before.contains(cell));
    let gone = before.iter().filter(|old| {
        let is_there = |cell: &Cell| {
            (
                &cell.upgrade,
                cell.shots,
                &cell.method,
                &cell.dataset,
                cell.seed,
            ) == (&old.upgrade, old.shots, &old.method, &old.dataset, old.seed)
        };
        !accepted.cells.iter().any(is_there)
    });
    output::print(&format!(
        "Summary accepted={} unchanged={} removed={} baseline={}\n",
        changed.clone().count(),
        accepted.cells.len() - changed.count(),
        gone.count(),
        path.display()
    ))?;
    Ok(ExitCode::Ok)
}
