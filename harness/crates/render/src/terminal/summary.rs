//! Averages over data sets: a row a method.

use crate::terminal::footnotes::{Footnotes, NAME};
use crate::terminal::grid::{Grid, Row, Slot};
use crate::terminal::numbers::{NOT_AVAILABLE, count, percent, points, share_slot, slot};
use crate::terminal::sanitise::one_line;
use harness_report::aggregate::{Block, MethodRow, ZeroShotSummary};

/// The summary table of a block. The oracle has a column where it was measured at all.
pub(crate) fn summary(block: &Block<'_>, footnotes: &Footnotes<'_>) -> Grid {
    let oracle = has_oracle(block);
    let mut heads = vec![
        "Base",
        "New",
        "H of means",
        "mean of H",
        "New over zero-shot",
    ];
    if oracle {
        heads.push("Oracle");
    }
    heads.push("gain kept");
    let zero_shot = Row {
        label: String::from("zero-shot"),
        markers: String::new(),
        slots: zero_shot_slots(block.zero_shot.summary.as_ref(), oracle),
    };
    let methods = block.methods.iter().enumerate().map(|(at, method)| Row {
        label: one_line(method.label, NAME),
        markers: footnotes.of_row(at),
        slots: method_slots(method, oracle),
    });
    Grid {
        heads: heads.into_iter().map(String::from).collect(),
        rows: std::iter::once(zero_shot).chain(methods).collect(),
    }
}

/// What the summary table is of.
pub(crate) fn title(block: &Block<'_>) -> String {
    let datasets = count(block.datasets.len(), "data set", "data sets");
    match block.seeds.len() {
        0 | 1 => format!("Averages over {datasets}, in percent"),
        n => format!(
            "Averages over {datasets}, in percent, ± 95 % Student-t interval over {n} seeds"
        ),
    }
}

/// What a reader of the numbers has to know, a sentence each.
pub(crate) fn notes(block: &Block<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let summaries = || {
        block
            .methods
            .iter()
            .filter_map(|method| method.summary.as_ref())
    };
    if summaries().any(|summary| summary.new.n == 1) {
        notes.push("one seed gives no interval".to_owned());
    }
    if summaries().any(|summary| summary.retention.is_none()) {
        notes.push(
            "gain kept is n/a where the gain on the source is not above 0 beyond its paired 95 % \
             interval"
                .to_owned(),
        );
    }
    if block.zero_shot.averaged < block.datasets.len() {
        notes.push(format!(
            "zero-shot averages over {} of {}, those where it was measured",
            block.zero_shot.averaged,
            count(block.datasets.len(), "data set", "data sets")
        ));
    }
    notes
}

fn has_oracle(block: &Block<'_>) -> bool {
    let entries = block.methods.iter().flat_map(|method| &method.entries);
    let mut cells = entries.flat_map(|entry| &entry.cells);
    cells.any(|measured| measured.cell.conditions.oracle.is_some())
}

fn zero_shot_slots(summary: Option<&ZeroShotSummary>, oracle: bool) -> Vec<Slot> {
    let known = |number: fn(&ZeroShotSummary) -> f64| {
        Slot::plain(summary.map_or(NOT_AVAILABLE.into(), |s| percent(number(s))))
    };
    let mut slots = vec![
        known(|s| s.source),
        known(|s| s.target),
        known(|s| s.h_of_means),
        known(|s| s.mean_of_h),
    ];
    slots.extend(vec![Slot::default(); if oracle { 3 } else { 2 }]);
    slots
}

fn method_slots(method: &MethodRow<'_>, oracle: bool) -> Vec<Slot> {
    let Some(summary) = &method.summary else {
        return vec![Slot::plain(NOT_AVAILABLE); if oracle { 7 } else { 6 }];
    };
    let mut slots = vec![
        slot(&summary.base, percent),
        slot(&summary.new, percent),
        slot(&summary.h_of_means, percent),
        slot(&summary.mean_of_h, percent),
        slot(&summary.over_zero_shot, points),
    ];
    let missing = || Slot::plain(NOT_AVAILABLE);
    if oracle {
        let oracle = summary.oracle.as_ref();
        slots.push(oracle.map_or_else(missing, |oracle| slot(oracle, percent)));
    }
    slots.push(summary.retention.as_ref().map_or_else(missing, share_slot));
    slots
}
