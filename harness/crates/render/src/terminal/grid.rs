//! A table that fits the width it is given.
//!
//! Four forms, the first that fits: each entry on one line; main number and aside below each
//! other; rows and columns swapped; without the columns for which there is no room, which a line
//! below the table names.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, TableStyle, presets};
use unicode_width::UnicodeWidthStr;

use crate::terminal::style::Style;
use crate::terminal::wrap;

/// Columns that a name in a head is broken for.
const HEAD: usize = 8;
/// Columns that a name at the start of a row is broken for.
const LABEL: usize = 12;
/// Most lines of a broken name.
const NAME_LINES: usize = 6;

/// One entry: a number and what belongs to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    main: String,
    aside: String,
}

impl Slot {
    pub(crate) fn new(main: impl Into<String>, aside: impl Into<String>) -> Self {
        Self {
            main: main.into(),
            aside: aside.into(),
        }
    }

    pub(crate) fn plain(main: impl Into<String>) -> Self {
        Self::new(main, "")
    }

    fn joined(&self, between: &str) -> String {
        match (self.main.is_empty(), self.aside.is_empty()) {
            (_, true) => self.main.clone(),
            (true, _) => self.aside.clone(),
            _ => format!("{}{between}{}", self.main, self.aside),
        }
    }
}

/// A row: a name, the markers of its footnotes, and an entry for each head.
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) markers: String,
    /// One a head.
    pub(crate) slots: Vec<Slot>,
}

/// Column heads and rows. The texts are safe for a terminal already.
pub(crate) struct Grid {
    pub(crate) heads: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// A column that is kept where there is no room for all.
    pub(crate) pinned: Option<usize>,
    /// The same of a row, where rows become columns.
    pub(crate) pinned_row: Option<usize>,
}

impl Grid {
    /// The drawn table, without a line break at the end.
    pub(crate) fn draw(&self, style: Style) -> String {
        let all: Vec<usize> = (0..self.heads.len()).collect();
        let Some(width) = style.width else {
            return style.paint_table(&self.lines(false, &all));
        };
        if let Some(drawn) = self.fitting(width) {
            return style.paint_table(&drawn);
        }
        if let Some(drawn) = self.transposed().fitting(width) {
            return style.paint_table(&drawn);
        }
        let turned = self.transposed();
        let share = |grid: &Self| grid.with_room(width).len() as f64 / grid.heads.len() as f64;
        match share(&turned) > share(self) {
            true => turned.cut(style, width),
            false => self.cut(style, width),
        }
    }

    /// The first of some choices of columns that fits with a line for each row, or else with two;
    /// what is left out is named below. As [`Grid::draw`] does where none fits.
    pub(crate) fn draw_first(&self, choices: &[&[usize]], style: Style) -> String {
        let Some(width) = style.width else {
            return self.draw(style);
        };
        for is_stacked in [false, true] {
            let texts = self.texts(is_stacked);
            let mut choices = choices.iter();
            if let Some(kept) = choices.find(|kept| columns(&texts, kept) <= width) {
                return self.chosen(is_stacked, kept, style);
            }
        }
        self.draw(style)
    }

    /// The table without the columns for which there is no room.
    fn cut(&self, style: Style, width: usize) -> String {
        self.chosen(true, &self.with_room(width), style)
    }

    /// Some columns of the table, and the names of the others.
    fn chosen(&self, is_stacked: bool, kept: &[usize], style: Style) -> String {
        let drawn = style.paint_table(&self.lines(is_stacked, kept));
        let dropped = (0..self.heads.len()).filter(|column| !kept.contains(column));
        let names: Vec<&str> = dropped.map(|at| self.heads[at].as_str()).collect();
        if names.is_empty() {
            return drawn;
        }
        let note = format!("no room for {}", names.join(", "));
        format!("{drawn}\n{}", wrap::sentence(&note, style.width, "  "))
    }

    /// The table with every column, if it fits.
    fn fitting(&self, width: usize) -> Option<String> {
        let all: Vec<usize> = (0..self.heads.len()).collect();
        let stacked = [false, true];
        let mut stacked = stacked.into_iter();
        let form = stacked.find(|form| columns(&self.texts(*form), &all) <= width)?;
        Some(self.lines(form, &all))
    }

    fn lines(&self, is_stacked: bool, chosen: &[usize]) -> String {
        let slots = self.rows.iter().flat_map(|row| &row.slots);
        let has_asides = slots
            .into_iter()
            .any(|slot| !slot.main.is_empty() && !slot.aside.is_empty());
        let preset = match is_stacked && has_asides {
            true => presets::UTF8_FULL,
            false => presets::UTF8_FULL_CONDENSED,
        };
        draw(&self.texts(is_stacked), chosen, preset)
    }

    /// Rows as columns.
    fn transposed(&self) -> Self {
        let labels = self.rows.iter();
        let labels = labels.map(|row| Slot::new(&row.label, &row.markers).joined(" "));
        let rows = self.heads.iter().enumerate().map(|(at, head)| Row {
            label: head.clone(),
            markers: String::new(),
            slots: self.rows.iter().map(|row| row.slots[at].clone()).collect(),
        });
        Self {
            heads: labels.collect(),
            rows: rows.collect(),
            pinned: self.pinned_row,
            pinned_row: self.pinned,
        }
    }

    /// The columns that fit, the pinned one among them; at least one.
    fn with_room(&self, width: usize) -> Vec<usize> {
        let texts = self.texts(true);
        let mut kept: Vec<usize> = self.pinned.into_iter().collect();
        for column in (0..self.heads.len()).filter(|column| Some(*column) != self.pinned) {
            kept.push(column);
            if kept.len() > 1 && columns(&texts, &kept) > width {
                kept.pop();
            }
        }
        kept.sort_unstable();
        kept
    }

    /// Head and rows as texts, the label first.
    fn texts(&self, stacked: bool) -> Vec<Vec<String>> {
        let (between, name): (_, fn(&str, usize) -> String) = if stacked {
            ("\n", |text, width| wrap::name(text, width, NAME_LINES))
        } else {
            (" ", |text, _| text.to_owned())
        };
        let heads = self.heads.iter().map(|head| name(head, HEAD));
        let head = std::iter::once(String::new()).chain(heads).collect();
        let rows = self.rows.iter().map(|row| {
            let label = Slot::new(name(&row.label, LABEL), &row.markers).joined(between);
            let slots = row.slots.iter().map(|slot| slot.joined(between));
            std::iter::once(label).chain(slots).collect()
        });
        std::iter::once(head).chain(rows).collect()
    }
}

/// Width of column `index` of the texts, without padding.
fn text_width(texts: &[Vec<String>], index: usize) -> usize {
    let lines = texts
        .iter()
        .filter_map(|row| row.get(index))
        .flat_map(|text| text.lines());
    lines.map(UnicodeWidthStr::width).max().unwrap_or(0)
}

/// Width of the table of the label and these columns: a space on both sides of each
/// text, and a line before, between and behind.
fn columns(texts: &[Vec<String>], chosen: &[usize]) -> usize {
    let widths: usize = chosen
        .iter()
        .map(|column| text_width(texts, column + 1) + 3)
        .sum();
    text_width(texts, 0) + 4 + widths
}

fn draw(texts: &[Vec<String>], chosen: &[usize], style: TableStyle) -> String {
    let pick = |row: &Vec<String>| -> Vec<Cell> {
        let numbers = chosen.iter().filter_map(|column| row.get(column + 1));
        let numbers = numbers.map(|text| Cell::new(text).set_alignment(CellAlignment::Right));
        row.first()
            .map(Cell::new)
            .into_iter()
            .chain(numbers)
            .collect()
    };
    let mut table = Table::new();
    table
        .load_style(style)
        .set_content_arrangement(ContentArrangement::Disabled);
    if let Some((head, rows)) = texts.split_first() {
        table.set_header(pick(head));
        table.add_rows(rows.iter().map(pick));
    }
    table.to_string()
}
