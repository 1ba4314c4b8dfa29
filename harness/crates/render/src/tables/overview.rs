//! Methods × data sets: New over the target's zero-shot.

use crate::tables::averages::{self, Average};
use crate::tables::{Cell, Number, Row, Table, Unit};
use harness_report::aggregate::{Block, MatrixEntry};
use harness_report::analysis::Analysis;

/// What the table is of.
pub(crate) const TITLE: &str = "New (target) over the target's zero-shot, in points";

/// The differences of a block, behind them their mean and, where modules were retrained, the
/// recovery.
pub(crate) fn overview<'a>(block: &Block<'a>, analysis: &Analysis<'_>) -> Table<'a> {
    let mut columns = vec![Average::OverZeroShot];
    if averages::is_retrained(block) {
        columns.push(Average::Recovery);
    }
    let means = averages::averages(block, analysis, &columns);
    let methods = block.methods.iter().enumerate();
    let rows = methods.map(|(at, method)| {
        let of = means.rows.iter().find(|row| row.method == Some(at));
        let of = of.into_iter().flat_map(|row| row.cells.clone());
        Row {
            label: method.label,
            method: Some(at),
            cells: method.entries.iter().map(cell).chain(of).collect(),
        }
    });
    let names = block.datasets.iter().map(|name| (*name).to_owned());
    let sums = ["mean", "recovery"].map(str::to_owned);
    Table {
        heads: names.chain(sums.into_iter().take(columns.len())).collect(),
        rows: rows.collect(),
        mean: Some(block.datasets.len()),
    }
}

fn cell<'a>(entry: &MatrixEntry<'a>) -> Cell<'a> {
    match entry.over_zero_shot {
        Some(difference) => Cell::Number(Number::plain(difference, Unit::Points)),
        None => Cell::Missing(entry.problems.first().map(|problem| problem.status)),
    }
}
