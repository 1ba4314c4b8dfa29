//! Tables of chains of upgrades: the gain on each backbone, and what the step to it changed.

use crate::export::latex::document::{LINES, begin, placed};
use crate::export::latex::escape::escape;
use crate::export::latex::layout::{lines, stack};
use crate::export::latex::options::{TableOptions, TableWidth};
use crate::tables::{Cell, Row, chain};
use harness_report::analysis::ChainAnalysis;

/// Lines of the heads.
const HEADS: usize = 6;
/// Widest label: a method, a data set, a backbone.
const LABEL: f64 = 56.0;
/// Widest head, and a number with its step and the space around them.
const NUMBER: f64 = 62.0;

/// Tables of both columns of a page for a chain, whatever the width of the others.
pub(super) fn chain_tables(
    of: &ChainAnalysis<'_>,
    options: &TableOptions,
    number: usize,
) -> String {
    let drawn = chain::chain(of);
    let title = escape(&chain::heading(of));
    let caption = "Accuracy of modules over each backbone's zero-shot, and in brackets what the step to it \
         changed, in points; * shown over all steps, methods and data sets.";
    let label = format!("harness-chain-{number}");
    let environment = TableWidth::Page.environment();
    let room = TableWidth::Page.points() - 3.0 * (LABEL + 6.0);
    let abreast = ((room / NUMBER) as usize).max(1);
    let backbones: Vec<usize> = (0..of.backbones.len()).collect();
    let mut pages: Vec<Vec<&Row<'_>>> = vec![Vec::new()];
    let mut left = LINES - HEADS;
    for row in &drawn.rows {
        let height = height(row);
        if height > left {
            pages.push(Vec::new());
            left = LINES - HEADS;
        }
        pages.last_mut().expect("there is always a page").push(row);
        left = left.saturating_sub(height);
    }
    let parts = pages.iter().flat_map(|rows| {
        backbones
            .chunks(abreast)
            .map(move |columns| (rows, columns))
    });
    let mut text = String::new();
    for (part, (rows, columns)) in parts.enumerate() {
        text += &begin(environment, &title, caption, &label, part);
        text += &placed(&tabular(rows, columns, &drawn.heads), options);
        text += &format!("\\end{{{environment}}}\n");
    }
    text
}

/// Lines that a row takes.
fn height(row: &Row<'_>) -> usize {
    let labels = row.cells.iter().filter_map(|cell| match cell {
        Cell::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let heights = labels
        .chain([row.label])
        .map(|label| lines(label, LABEL, escape).len());
    heights.max().unwrap_or(1)
}

fn tabular(rows: &[&Row<'_>], columns: &[usize], heads: &[String]) -> String {
    let mut text = format!(
        "\\begin{{tabular}}{{@{{}}lll{}@{{}}}}\n\\toprule\nmethod",
        "r".repeat(columns.len())
    );
    for head in heads.iter().take(2) {
        text += &format!(" & {}", escape(head));
    }
    for at in columns {
        let head = heads.get(2 + at).map_or("", String::as_str);
        text += &format!(" & {}", stack(&lines(head, NUMBER - 6.0, escape), 'r'));
    }
    text += " \\\\\n\\midrule\n";
    for row in rows {
        text += &broken(row.label);
        let labels = row.cells.iter().take(2);
        let numbers = columns.iter().filter_map(|at| row.cells.get(2 + at));
        for cell in labels.chain(numbers) {
            text += " & ";
            text += &match cell {
                Cell::Stop { gain, change } => {
                    let change = change.as_deref().map(signed);
                    let change = change.map_or_else(String::new, |of| format!(" ({of})"));
                    format!("{}{change}", signed(&gain.main()))
                }
                Cell::Text(text) => broken(text),
                Cell::Blank => String::new(),
                _ => "--".to_owned(),
            };
        }
        text += " \\\\\n";
    }
    text + "\\bottomrule\n\\end{tabular}\n"
}

fn broken(label: &str) -> String {
    stack(&lines(label, LABEL, escape), 'l')
}

/// Points without the glyph that TeX may lack, in a minus of its own length.
fn signed(points: &str) -> String {
    let number = points.trim_start_matches(|c: char| !c.is_ascii()).trim();
    let (number, mark) = match number.strip_suffix('*') {
        Some(number) => (number, "^{*}"),
        None => (number, ""),
    };
    format!("${number}{mark}$")
}
