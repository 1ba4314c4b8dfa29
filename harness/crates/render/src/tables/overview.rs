//! Methods × data sets: New over the target's zero-shot.

use crate::tables::{Cell, Number, Row, Table, Unit, averages};
use crate::text::{NOT_AVAILABLE, share};
use harness_report::aggregate::{Block, MatrixEntry, MethodRow};
use harness_report::analysis::Analysis;

/// What the table is of.
pub(crate) const TITLE: &str = "New (target) over the target's zero-shot, in points";
/// What a mark behind a recovery means.
pub(crate) const CARRIED: &str = "† one data set carries this ratio: --details says which";

/// The differences of a block, behind them their mean and, where modules were retrained, the
/// recovery.
pub(crate) fn overview<'a>(block: &Block<'a>, analysis: &Analysis<'_>) -> Table<'a> {
    let is_retrained = averages::is_retrained(block);
    let methods = block.methods.iter().enumerate();
    let rows = methods.map(|(at, method)| {
        let recovery = is_retrained.then(|| recovery(block, analysis, method));
        let entries = method.entries.iter().map(cell);
        Row {
            label: method.label,
            method: Some(at),
            cells: entries.chain([mean(method)]).chain(recovery).collect(),
        }
    });
    let mut heads: Vec<String> = block
        .datasets
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    heads.push("mean".to_owned());
    if is_retrained {
        heads.push("recovery".to_owned());
    }
    Table {
        heads,
        rows: rows.collect(),
        mean: Some(block.datasets.len()),
    }
}

/// Whether a recovery has a mark.
pub(crate) fn is_carried(block: &Block<'_>, analysis: &Analysis<'_>) -> bool {
    let methods = block.methods.iter();
    let mut averages =
        methods.filter_map(|method| analysis.averages(block.upgrade, block.shots, method.label));
    averages.any(|of| of.recovery.is_some_and(|of| of.carried_by.is_some()))
}

fn mean(method: &MethodRow<'_>) -> Cell<'static> {
    method.summary.as_ref().map_or(Cell::Missing(None), |of| {
        Cell::Number(Number::plain(of.over_zero_shot.mean, Unit::Points))
    })
}

fn recovery(block: &Block<'_>, analysis: &Analysis<'_>, method: &MethodRow<'_>) -> Cell<'static> {
    let averages = analysis.averages(block.upgrade, block.shots, method.label);
    let text = averages.and_then(|of| of.recovery).map(|of| {
        let mark = if of.carried_by.is_some() { "†" } else { "" };
        format!("{}{mark}", share(of.ratio.value))
    });
    Cell::Text(text.unwrap_or_else(|| NOT_AVAILABLE.to_owned()))
}

fn cell<'a>(entry: &MatrixEntry<'a>) -> Cell<'a> {
    match entry.over_zero_shot {
        Some(difference) => Cell::Number(Number::plain(difference, Unit::Points)),
        None => Cell::Missing(entry.problems.first().map(|problem| problem.status)),
    }
}
