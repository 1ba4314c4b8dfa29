//! Tables that are no part of a report.

use crate::terminal::grid::{Grid, Row, Slot};
use crate::terminal::style::Style;
use crate::text::{NAME, one_line};

/// The name of a row, and a text with what belongs to it for each head.
pub type NamedEntries = (String, Vec<(String, String)>);

/// A table of a name and some texts in each row, with a line break at its end. The last row and
/// column are kept where there is no room for all.
pub fn table(heads: &[String], rows: &[(String, Vec<String>)], style: &Style) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|(label, texts)| {
            let entries = texts.iter().map(|text| (text.clone(), String::new()));
            (label.clone(), entries.collect())
        })
        .collect();
    grid(heads, &rows).draw(*style) + "\n"
}

/// The same of entries in two parts, which stand below each other where there is no room beside,
/// with the first of some choices of columns that has room.
pub fn entries(
    heads: &[String],
    rows: &[NamedEntries],
    choices: &[&[usize]],
    style: &Style,
) -> String {
    grid(heads, rows).draw_first(choices, *style) + "\n"
}

fn grid(heads: &[String], rows: &[NamedEntries]) -> Grid {
    let safe = |text: &String| one_line(text, NAME);
    Grid {
        heads: heads.iter().map(safe).collect(),
        rows: rows
            .iter()
            .map(|(label, entries)| Row {
                label: safe(label),
                markers: String::new(),
                slots: entries
                    .iter()
                    .map(|(main, aside)| Slot::new(safe(main), safe(aside)))
                    .collect(),
            })
            .collect(),
        pinned: heads.len().checked_sub(1),
        pinned_row: rows.len().checked_sub(1),
    }
}
