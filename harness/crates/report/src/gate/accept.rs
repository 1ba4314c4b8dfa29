//! A report's cells become the baseline's.

use crate::cell::{Cell, Conditions, Status};
use crate::condition::Condition;
use crate::gate::mismatch::{Mismatch, key};
use crate::report::Report;

/// Why cells cannot be accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    #[error("no cell of the report is selected")]
    Nothing,
    /// Only measured cells, and those that do not fit, are results.
    #[error("{0} of the selected cells have no result: run them first")]
    Unfinished(usize),
    /// Cells of two different things in one baseline would contradict each other.
    #[error(
        "the inputs of the baseline differ, so it can only be replaced as a whole: {}",
        .0.iter().take(5).map(Mismatch::to_string).collect::<Vec<_>>().join("; ")
    )]
    Incomparable(Vec<Mismatch>),
}

/// The new baseline. Without a `baseline` or a selection (`wanted` is `None`) it is the report;
/// else the selected cells of the report take the place of the baseline's.
///
/// Cells whose results are the same, bit by bit, stay as they were with their times, so that what
/// changes in the file is what changed. A baseline is in the report's order of cells.
///
/// # Errors
/// See [`AcceptError`].
pub fn accept(
    report: &Report,
    baseline: Option<&Report>,
    wanted: Option<&dyn Fn(&Cell) -> bool>,
) -> Result<Report, AcceptError> {
    let is_wanted = |cell: &Cell| wanted.is_none_or(|wanted| wanted(cell));
    let selected: Vec<&Cell> = report.cells.iter().filter(|cell| is_wanted(cell)).collect();
    let unfinished = selected
        .iter()
        .filter(|cell| !matches!(cell.status, Status::Ok | Status::NotInjectable { .. }));
    match (selected.len(), unfinished.count()) {
        (0, _) => return Err(AcceptError::Nothing),
        (_, 0) => {}
        (_, unfinished) => return Err(AcceptError::Unfinished(unfinished)),
    }
    let mut accepted = report.clone();
    let Some(baseline) = baseline else {
        accepted.cells = selected.into_iter().cloned().collect();
        return Ok(accepted);
    };
    if wanted.is_some() {
        let shared = |cell: &Cell| {
            let mut cells = report.cells.iter();
            cells.any(|other| key(other) == key(cell)) && !is_wanted(cell)
        };
        let mismatches = super::mismatch::mismatches(report, baseline, shared);
        if !mismatches.is_empty() {
            return Err(AcceptError::Incomparable(mismatches));
        }
        accepted = merge(report, baseline);
        let kept = baseline.cells.iter().filter(|cell| !is_wanted(cell));
        accepted.cells = kept.chain(selected).cloned().collect();
    }
    for cell in &mut accepted.cells {
        let mut old = baseline.cells.iter();
        if let Some(old) = old.find(|old| key(old) == key(cell) && is_same(old, cell)) {
            *cell = old.clone();
        }
    }
    accepted.sort_cells();
    Ok(accepted)
}

/// The lists of both: the report's entries, and those of the baseline that it lacks.
fn merge(report: &Report, baseline: &Report) -> Report {
    fn union<T: Clone>(mine: &[T], theirs: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<T> {
        let more = mine
            .iter()
            .filter(|one| !theirs.iter().any(|other| same(one, other)));
        theirs.iter().chain(more).cloned().collect()
    }
    Report {
        // Each plugin that any cell was made with.
        plugins: union(&report.plugins, &baseline.plugins, |a, b| a == b),
        backbones: union(&report.backbones, &baseline.backbones, |a, b| {
            a.name == b.name
        }),
        methods: union(&report.methods, &baseline.methods, |a, b| {
            a.label == b.label
        }),
        datasets: union(&report.datasets, &baseline.datasets, |a, b| {
            a.name == b.name
        }),
        upgrades: union(&report.upgrades, &baseline.upgrades, |a, b| a == b),
        text_drift: union(&report.text_drift, &baseline.text_drift, |a, b| {
            (&a.upgrade, &a.dataset) == (&b.upgrade, &b.dataset)
        }),
        input_notes: union(&report.input_notes, &baseline.input_notes, |a, b| a == b),
        ..report.clone()
    }
}

/// Whether two cells have the same results, whatever they took.
fn is_same(old: &Cell, new: &Cell) -> bool {
    let timeless = |cell: &Cell| {
        let mut cell = cell.clone();
        cell.usage = None;
        cell.retraining = cell.retraining.map(|mut r| {
            r.seconds = 0.0;
            r
        });
        if let Some(training) = &mut cell.training {
            training.seconds = 0.0;
        }
        let Conditions {
            zero_source,
            base,
            zero_target,
            new,
            oracle,
        } = &mut cell.conditions;
        let conditions = [zero_source, base, zero_target, new, oracle];
        for Condition { seconds, .. } in conditions.into_iter().flatten() {
            *seconds = 0.0;
        }
        cell
    };
    timeless(old) == timeless(new)
}
