//! A table in the texts of a terminal.

use crate::tables::{Cell, Table};
use crate::terminal::footnotes::Footnotes;
use crate::terminal::grid::{Grid, Row, Slot};
use crate::text::{MISSING, NAME, NOT_AVAILABLE, one_line, word};
use harness_report::analysis::Recommendation;

/// The grid of a table. With `footnotes` the rows and the cells that lack something carry their
/// markers.
pub(super) fn grid(table: &Table<'_>, footnotes: Option<&Footnotes<'_>>) -> Grid {
    let heads = table.heads.iter().map(|head| one_line(head, NAME));
    let rows = table.rows.iter().map(|row| {
        let noted = footnotes.zip(row.method);
        let cells = row.cells.iter().enumerate();
        let slots = cells.map(|(column, cell)| {
            let markers = || noted.map_or_else(String::new, |(of, at)| of.of_entry(at, column));
            slot(cell, markers)
        });
        Row {
            label: one_line(row.label, NAME),
            markers: noted.map_or_else(String::new, |(of, at)| of.of_row(at)),
            slots: slots.collect(),
        }
    });
    Grid {
        heads: heads.collect(),
        rows: rows.collect(),
        pinned: table.mean,
        pinned_row: None,
    }
}

fn slot(cell: &Cell<'_>, markers: impl Fn() -> String) -> Slot {
    match cell {
        Cell::Blank => Slot::default(),
        Cell::Missing(None) => Slot::plain(NOT_AVAILABLE),
        Cell::Missing(Some(status)) => {
            Slot::new(format!("{MISSING} {}", short(word(status))), markers())
        }
        Cell::Number(number) => Slot::new(number.main(), number.interval()),
        Cell::New {
            accuracy,
            over_zero_shot,
            missing: 0,
        } => Slot::new(accuracy.main(), over_zero_shot.main()),
        Cell::New {
            accuracy,
            over_zero_shot,
            ..
        } => Slot::new(
            format!("{} {}", accuracy.main(), markers()),
            over_zero_shot.main(),
        ),
        Cell::Stop { gain, change } => Slot::new(gain.main(), change.clone().unwrap_or_default()),
        Cell::Recommendation {
            verdict: Some(verdict),
            recommendation,
            ..
        } => match recommendation {
            Recommendation::RetrainKeepMeanwhile => {
                Slot::new(format!("{} retrain,", verdict.glyph()), "keep meanwhile")
            }
            Recommendation::UndecidedKeepMeanwhile => {
                Slot::new(format!("{} undecided,", verdict.glyph()), "keep meanwhile")
            }
            other => Slot::plain(format!("{} {}", verdict.glyph(), other.word())),
        },
        Cell::Recommendation { verdict: None, .. } => Slot::plain(NOT_AVAILABLE),
        Cell::Text(text) => Slot::plain(one_line(text, NAME)),
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
