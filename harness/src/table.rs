//! Plain tables of the listing commands.

use comfy_table::{ContentArrangement, Table, presets};
use harness_render::terminal::one_line;
use unicode_width::UnicodeWidthStr;

/// Characters of a table cell.
const WIDEST: usize = 160;

/// The same in a width: the first of `choices` of columns that fits or, if none does, the last
/// with the texts of its widest column broken into lines.
pub(crate) fn fitting(
    head: &[&str],
    rows: &[Vec<String>],
    width: Option<usize>,
    choices: &[&[usize]],
) -> String {
    let all = plain(head, rows.iter().cloned());
    let Some(width) = width else {
        return all;
    };
    let is_within = |text: &str| text.lines().all(|line| line.width() <= width);
    if is_within(&all) {
        return all;
    }
    let mut last = all;
    for choice in choices {
        let head: Vec<&str> = choice.iter().map(|at| head[*at]).collect();
        let rows = rows
            .iter()
            .map(|row| choice.iter().map(|at| row[*at].clone()).collect());
        let mut table = build(&head, rows);
        last = text(&table);
        if is_within(&last) {
            return last;
        }
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        last = text(&table);
    }
    last
}

/// Columns under their heads, two spaces apart, as text with a line break.
pub(crate) fn plain(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    text(&build(head, rows))
}

fn build(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(head.iter().map(|name| (*name).to_owned()));
    for row in rows {
        table.add_row(row.iter().map(|text| one_line(text, WIDEST)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

fn text(table: &Table) -> String {
    let lines = table.lines().map(|line| line.trim_end().to_owned() + "\n");
    lines.collect()
}
