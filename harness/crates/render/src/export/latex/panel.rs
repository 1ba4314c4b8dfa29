//! Numbers side by side, as many as fit the width.

use std::ops::Range;

use crate::export::latex::entry::Column;
use crate::export::latex::escape::escape;
use crate::export::latex::layout::{lines, stack, width};

/// Columns that belong together, under a common head.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// As the report brought it.
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

impl Group {
    /// Lines of its name, as wide as its columns.
    fn lines(&self, digits: usize) -> Vec<String> {
        let room: f64 = self.columns.iter().map(|c| c.width(digits)).sum();
        lines(&self.name, room - 6.0, escape)
    }
}

/// A tabular.
pub(super) struct Panel {
    pub(super) groups: Vec<Group>,
}

/// Groups as panels that fit the width beside the labels; a group that does not fit is cut.
pub(super) fn panels(groups: Vec<Group>, available: f64, digits: usize) -> Vec<Panel> {
    let mut panels: Vec<Panel> = Vec::new();
    let mut left = 0.0;
    for group in groups {
        let widths: Vec<f64> = group.columns.iter().map(|c| c.width(digits)).collect();
        let whole: f64 = widths.iter().sum();
        if whole <= left
            && let Some(panel) = panels.last_mut()
        {
            panel.groups.push(group);
            left -= whole;
            continue;
        }
        // Pieces of like size; never wider than what is there.
        let pieces = (whole / available).ceil().max(1.0);
        let most = (widths.len() as f64 / pieces).ceil() as usize;
        let (mut columns, mut used) = (Vec::new(), 0.0);
        for (column, width) in group.columns.into_iter().zip(widths) {
            if (used + width > available || columns.len() == most) && !columns.is_empty() {
                let columns = std::mem::take(&mut columns);
                panels.push(Panel::of(group.name.clone(), columns));
                used = 0.0;
            }
            columns.push(column);
            used += width;
        }
        panels.push(Panel::of(group.name, columns));
        left = available - used;
    }
    panels
}

impl Panel {
    fn of(name: String, columns: Vec<Column>) -> Self {
        Self {
            groups: vec![Group { name, columns }],
        }
    }

    fn columns(&self) -> impl Iterator<Item = &Column> {
        self.groups.iter().flat_map(|group| &group.columns)
    }

    /// Lines of its heads and rules.
    pub(super) fn head(&self, digits: usize) -> usize {
        let names = self.groups.iter().map(|group| group.lines(digits).len());
        let heads = self.columns().map(|column| column.head.len());
        names.max().unwrap_or(0) + heads.max().unwrap_or(0) + 2
    }

    /// The tabular of these rows.
    pub(super) fn tabular(&self, labels: &Labels, rows: &Range<usize>, digits: usize) -> String {
        let columns = self.columns().map(|column| column.specification(digits));
        let mut text = format!(
            "\\begin{{tabular}}{{@{{}}l{}@{{}}}}\n\\toprule\n",
            columns.collect::<String>()
        );
        let (mut names, mut rules, mut at) = (String::new(), String::new(), 2);
        for group in &self.groups {
            let cells = group
                .columns
                .iter()
                .map(|c| 1 + usize::from(c.has_intervals()));
            let cells: usize = cells.sum();
            let name = stack(&group.lines(digits), 'c');
            names += &format!(" & \\multicolumn{{{cells}}}{{c}}{{{name}}}");
            rules += &format!("\\cmidrule(lr){{{at}-{}}}", at + cells - 1);
            at += cells;
        }
        text += &format!("{names} \\\\\n{rules}\n");
        for column in self.columns() {
            let head = stack(&column.head, 'c');
            text += &match column.has_intervals() {
                true => format!(" & \\multicolumn{{2}}{{c}}{{{head}}}"),
                false => format!(" & {{{head}}}"),
            };
        }
        text += " \\\\\n\\midrule\n";
        for row in rows.clone() {
            text += &stack(&labels.rows[row], 'l');
            for column in self.columns() {
                text += &format!(" & {}", column.cell(row, digits));
            }
            text += " \\\\\n";
        }
        text + "\\bottomrule\n\\end{tabular}\n"
    }
}

/// Labels of rows, broken where they are wider than a third of a table.
pub(super) struct Labels {
    /// Lines of each, as TeX.
    rows: Vec<Vec<String>>,
}

impl Labels {
    pub(super) fn of(names: &[String], table: f64) -> Self {
        let broken = names.iter().map(|name| lines(name, table / 3.0, escape));
        Self {
            rows: broken.collect(),
        }
    }

    /// Width of the widest, with the space behind it.
    pub(super) fn width(&self) -> f64 {
        let widths = self.rows.iter().flatten().map(|line| width(line));
        widths.fold(0.0, f64::max) + 3.0
    }

    /// Lines that these rows take.
    pub(super) fn height(&self, rows: &Range<usize>) -> usize {
        self.rows[rows.clone()].iter().map(Vec::len).sum()
    }

    /// The rows cut where they take more lines than this.
    pub(super) fn pages(&self, most: usize) -> Vec<Range<usize>> {
        let mut pages = Vec::new();
        let mut first = 0;
        for row in 1..=self.rows.len() {
            if row == self.rows.len() || self.height(&(first..row + 1)) > most {
                pages.push(first..row);
                first = row;
            }
        }
        pages
    }
}
