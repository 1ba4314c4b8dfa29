//! Tables that are no part of a report.

use crate::terminal::grid::{Grid, Row, Slot};
use crate::terminal::style::Style;
use crate::text::{NAME, one_line};

/// A table of a name and some texts in each row, with a line break at its end. The last row and
/// column are kept where there is no room for all.
pub fn table(heads: &[String], rows: &[(String, Vec<String>)], style: &Style) -> String {
    let safe = |text: &String| one_line(text, NAME);
    let grid = Grid {
        heads: heads.iter().map(safe).collect(),
        rows: rows
            .iter()
            .map(|(label, texts)| Row {
                label: safe(label),
                markers: String::new(),
                slots: texts.iter().map(|text| Slot::plain(safe(text))).collect(),
            })
            .collect(),
        pinned: heads.len().checked_sub(1),
        pinned_row: rows.len().checked_sub(1),
    };
    grid.draw(*style) + "\n"
}
