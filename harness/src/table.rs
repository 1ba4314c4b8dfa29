//! Plain tables of the listing commands.

use comfy_table::{Table, presets};
use harness_render::terminal::one_line;

/// Characters of a table cell.
const WIDEST: usize = 160;

/// Columns under their heads, two spaces apart, as text with a line break.
pub(crate) fn plain(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(head.iter().map(|name| (*name).to_owned()));
    for row in rows {
        table.add_row(row.iter().map(|text| one_line(text, WIDEST)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned() + "\n");
    lines.collect()
}
