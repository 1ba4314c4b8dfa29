//! Everything that is said of an upgrade.

use crate::tables::averages::{self, Average, averages};
use crate::tables::flips::{self, flips};
use crate::tables::matrix::{self, matrix};
use crate::tables::recommendations::{self, recommendations};
use crate::terminal::classes::worst_classes;
use crate::terminal::draw::grid;
use crate::terminal::explanations::explanations;
use crate::terminal::footnotes::Footnotes;
use crate::terminal::style::Style;
use crate::terminal::wrap;
use crate::text::{heading, verdicts};
use harness_report::Report;
use harness_report::aggregate::Block;
use harness_report::analysis::Analysis;

/// Verdicts, matrix, recommendations, averages, flips, classes and explanations.
pub(super) fn details<'a>(
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
