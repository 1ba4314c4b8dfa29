//! Methods × data sets: New, and its difference to the target's zero-shot.

use crate::terminal::footnotes::{Footnotes, NAME, word};
use crate::terminal::grid::{Grid, Row, Slot};
use crate::terminal::numbers::{NOT_AVAILABLE, percent, points};
use crate::terminal::sanitise::one_line;
use crate::terminal::style::MISSING;
use harness_report::aggregate::{Block, Entry, MethodRow};

/// The matrix of a block, a mean column behind the data sets.
pub(crate) fn matrix(block: &Block<'_>, footnotes: &Footnotes<'_>) -> Grid {
    let names = block.datasets.iter().map(|name| one_line(name, NAME));
    let methods = block.methods.iter().enumerate();
    let rows = methods.map(|(at, method)| method_row(at, method, footnotes));
    Grid {
        heads: names.chain([String::from("mean")]).collect(),
        rows: std::iter::once(zero_shot_row(block)).chain(rows).collect(),
    }
}

fn zero_shot_row(block: &Block<'_>) -> Row {
    let zero_shot = &block.zero_shot;
    let targets: Option<Vec<f64>> = zero_shot.entries.iter().map(|zero| zero.target).collect();
    let mean = targets.and_then(|targets| harness_report::stats::mean(&targets));
    let entries = zero_shot.entries.iter().map(|zero| zero.target);
    Row {
        label: String::from("zero-shot"),
        markers: String::new(),
        slots: entries
            .chain([mean])
            .map(|target| Slot::plain(target.map_or(NOT_AVAILABLE.into(), percent)))
            .collect(),
    }
}

fn method_row(at: usize, method: &MethodRow<'_>, footnotes: &Footnotes<'_>) -> Row {
    let entries = method.entries.iter().enumerate();
    let entries = entries.map(|(column, entry)| entry_slot(entry, footnotes.of_entry(at, column)));
    let mean = match &method.summary {
        Some(summary) => Slot::new(
            percent(summary.new.mean),
            points(summary.over_zero_shot.mean),
        ),
        None => Slot::plain(NOT_AVAILABLE),
    };
    Row {
        label: one_line(method.label, NAME),
        markers: footnotes.of_row(at),
        slots: entries.chain([mean]).collect(),
    }
}

fn entry_slot(entry: &Entry<'_>, markers: String) -> Slot {
    match (entry.new, entry.over_zero_shot, entry.problems.first()) {
        (Some(new), Some(difference), None) => Slot::new(percent(new), points(difference)),
        (Some(new), Some(difference), Some(_)) => {
            Slot::new(format!("{} {markers}", percent(new)), points(difference))
        }
        (_, _, Some(problem)) => Slot::new(
            format!("{MISSING} {}", short(word(problem.status))),
            markers,
        ),
        _ => Slot::plain(NOT_AVAILABLE),
    }
}

/// The word of a status in the width of an entry.
fn short(word: &'static str) -> &'static str {
    match word {
        "not injectable" => "no fit",
        "timed out" => "timeout",
        other => other,
    }
}
