//! Methods × data sets: New, and its difference to the target's zero-shot.

use crate::tables::{Cell, Number, Row, Table, Unit};
use harness_report::aggregate::{Block, MatrixEntry, MethodRow};

/// What the table is of.
pub(crate) const TITLE: &str =
    "New (target), in percent, and its difference to the target's zero-shot";

/// The matrix of a block, a mean column behind the data sets.
pub(crate) fn matrix<'a>(block: &Block<'a>) -> Table<'a> {
    let names = block.datasets.iter().map(|name| (*name).to_owned());
    let zero = &block.zero_shot;
    let mean = zero.summary.map(|summary| summary.target);
    let zero = zero.entries.iter().map(|zero| zero.target).chain([mean]);
    let methods = block.methods.iter().enumerate();
    let methods = methods.map(|(at, method)| Row {
        label: method.label,
        method: Some(at),
        cells: method
            .entries
            .iter()
            .map(cell)
            .chain([mean_of(method)])
            .collect(),
    });
    Table {
        heads: names.chain([String::from("mean")]).collect(),
        rows: std::iter::once(Row::zero_shot(zero.map(Cell::percent).collect()))
            .chain(methods)
            .collect(),
        mean: Some(block.datasets.len()),
    }
}

/// A method on a data set, over the seeds that were measured.
pub(crate) fn cell<'a>(entry: &MatrixEntry<'a>) -> Cell<'a> {
    match (entry.new, entry.over_zero_shot) {
        (Some(new), Some(difference)) => Cell::New {
            accuracy: Number::plain(new, Unit::Percent),
            over_zero_shot: Number::plain(difference, Unit::Points),
            missing: entry.problems.len(),
        },
        _ => Cell::Missing(entry.problems.first().map(|problem| problem.status)),
    }
}

fn mean_of(method: &MethodRow<'_>) -> Cell<'static> {
    method.summary.map_or(Cell::Missing(None), |of| Cell::New {
        accuracy: Number::plain(of.new.mean, Unit::Percent),
        over_zero_shot: Number::plain(of.over_zero_shot.mean, Unit::Points),
        missing: 0,
    })
}
