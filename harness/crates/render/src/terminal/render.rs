//! A report on a terminal. The last line counts the cells in each status, for `grep`; before it
//! stands what each upgrade comes down to.

use crate::tables::cost;
use crate::tables::recommendations::verdict_line;
use crate::terminal::brief::brief;
use crate::terminal::chain::{Extent, chains};
use crate::terminal::details::details;
use crate::terminal::draw::grid;
use crate::terminal::left_out::left_out;
use crate::terminal::style::Style;
use crate::terminal::wrap;
use crate::text::{carried, summary_line};
use harness_report::Report;
use harness_report::aggregate::{Block, blocks};
use harness_report::analysis::{Analysis, analyse};

/// For each upgrade a sentence, New over zero-shot in one matrix, and the recommendations, as text
/// ended by a line break.
pub fn render(report: &Report, style: &Style) -> String {
    let analysis = analyse(report);
    let blocks = blocks(report);
    let mut text = String::new();
    for block in &blocks {
        brief(block, &analysis, *style, &mut text);
    }
    chains(&analysis, Extent::Brief, *style, &mut text);
    notes(left_out(report), *style, &mut text);
    if blocks.len() > 1 {
        closing(&blocks, &analysis, *style, &mut text);
    }
    text.push_str(&summary_line(report));
    text.push('\n');
    text
}

/// Every table and sentence, then what each upgrade comes down to, as text ended by a line break.
pub fn render_details(report: &Report, style: &Style) -> String {
    let analysis = analyse(report);
    let blocks = blocks(report);
    let mut text = String::new();
    for block in &blocks {
        details(report, block, &analysis, *style, &mut text);
    }
    chains(&analysis, Extent::Whole, *style, &mut text);
    if let Some(table) = cost::cost(report) {
        text.push_str(&wrap::sentence(cost::TITLE, style.width, "  "));
        text.push('\n');
        text.push_str(&grid(&table, None).draw(*style));
        text.push_str("\n\n");
    }
    notes(left_out(report), *style, &mut text);
    notes(carried(report), *style, &mut text);
    closing(&blocks, &analysis, *style, &mut text);
    text.push_str(&summary_line(report));
    text.push('\n');
    text
}

fn notes(sentences: impl IntoIterator<Item = String>, style: Style, text: &mut String) {
    for sentence in sentences {
        text.push_str(&wrap::sentence(&sentence, style.width, "  "));
        text.push_str("\n\n");
    }
}

/// A verdict line an upgrade.
fn closing(blocks: &[Block<'_>], analysis: &Analysis<'_>, style: Style, text: &mut String) {
    let lines = blocks.iter();
    let lines: Vec<String> = lines
        .filter_map(|block| verdict_line(block, analysis))
        .collect();
    if lines.is_empty() {
        return;
    }
    for line in lines {
        text.push_str(&style.bold(&wrap::sentence(&line, style.width, "  ")));
        text.push('\n');
    }
    text.push('\n');
}
