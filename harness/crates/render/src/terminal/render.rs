//! The whole report: verdicts, matrix and averages for each upgrade, then one line for machines.

use crate::tables::averages::{self, Average, averages};
use crate::tables::cost;
use crate::tables::flips::{self, flips};
use crate::tables::matrix::{self, matrix};
use crate::tables::recommendations::{self, recommendations};
use crate::terminal::classes::worst_classes;
use crate::terminal::draw::grid;
use crate::terminal::explanations::explanations;
use crate::terminal::footnotes::Footnotes;
use crate::terminal::left_out::left_out;
use crate::terminal::style::Style;
use crate::terminal::wrap;
use crate::text::{carried, heading, summary_line, verdicts};
use harness_report::Report;
use harness_report::aggregate::{Block, blocks};
use harness_report::analysis::{Analysis, analyse};

/// The report as text, ended by a line break. The last line counts the cells in each status, for
/// `grep`.
pub fn render(report: &Report, style: &Style) -> String {
    let mut text = String::new();
    let analysis = analyse(report);
    for block in blocks(report) {
        render_block(report, &block, &analysis, *style, &mut text);
    }
    if let Some(table) = cost::cost(report) {
        text.push_str(&wrap::sentence(cost::TITLE, style.width, "  "));
        text.push('\n');
        text.push_str(&grid(&table, None).draw(*style));
        text.push_str("\n\n");
    }
    for sentence in left_out(report).into_iter().chain(carried(report)) {
        text.push_str(&wrap::sentence(&sentence, style.width, "  "));
        text.push_str("\n\n");
    }
    text.push_str(&summary_line(report));
    text.push('\n');
    text
}

fn render_block<'a>(
    report: &Report,
    block: &Block<'a>,
    analysis: &Analysis<'a>,
    style: Style,
    text: &mut String,
) {
    let footnotes = Footnotes::of(block);
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    let flow = |sentence: &str| wrap::sentence(sentence, style.width, "  ");
    line(&style.bold(&flow(&heading(block))));
    if let Some(outlook) = recommendations::outlook(block, analysis) {
        line(&flow(&outlook));
    }
    for (method, verdict) in block.methods.iter().zip(verdicts(block, analysis)) {
        let decision = recommendations::sentence(block, analysis, method.label);
        let decision = decision.map_or_else(String::new, |decision| format!("; {decision}"));
        line(&flow(&format!("{verdict}{decision}")));
    }
    line("");
    line(&flow(matrix::TITLE));
    line(&grid(&matrix(block), Some(&footnotes)).draw(style));
    line(&footnotes.draw(block, style));
    if recommendations::is_assessed(block, analysis) {
        line(&flow(&recommendations::title(analysis)));
        line(&grid(&recommendations(block, analysis), None).draw(style));
        line(&flow(&recommendations::definitions(analysis)));
        line("");
    }
    line(&flow(&averages::title(block)));
    let columns = Average::ACCURACIES.into_iter();
    let columns = columns.filter(|one| {
        !matches!(one, Average::Retrained | Average::Recovery) || averages::is_retrained(block)
    });
    let table = averages(block, analysis, &columns.collect::<Vec<_>>());
    line(&grid(&table, Some(&footnotes)).draw(style));
    for note in averages::notes(block, analysis) {
        line(&flow(&note));
    }
    line("");
    line(&flow(averages::SPREAD));
    line(&grid(&averages::spread(block, analysis), None).draw(style));
    line("");
    if let Some(table) = flips(block, analysis) {
        line(&flow(flips::TITLE));
        line(&grid(&table, None).draw(style));
        line("");
    }
    let classes = worst_classes(report, block, analysis);
    if !classes.is_empty() {
        line(&flow("Classes with the largest loss from Base to New"));
        for class in classes {
            line(&style.paint(&flow(&class), -1));
        }
        line("");
    }
    let explanations = explanations(report, block, analysis);
    if !explanations.is_empty() {
        for explanation in explanations {
            line(&flow(&explanation));
        }
        line("");
    }
}
