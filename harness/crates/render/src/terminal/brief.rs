//! An upgrade on one screen.

use crate::tables::overview::{self, overview};
use crate::tables::recommendations;
use crate::terminal::draw::grid;
use crate::terminal::footnotes::Footnotes;
use crate::terminal::style::Style;
use crate::terminal::wrap;
use crate::text::{heading, verdicts};
use harness_report::aggregate::Block;
use harness_report::analysis::Analysis;

/// A sentence, New over zero-shot in one matrix, what lacks in it, and the recommendations.
pub(super) fn brief(block: &Block<'_>, analysis: &Analysis<'_>, style: Style, text: &mut String) {
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    let flow = |sentence: &str| wrap::sentence(sentence, style.width, "  ");
    line(&style.bold(&flow(&heading(block))));
    match recommendations::headline(block, analysis) {
        Some(sentence) => line(&flow(&sentence)),
        // Nothing was measured: why, for each method.
        None => verdicts(block, analysis)
            .iter()
            .for_each(|verdict| line(&flow(verdict))),
    }
    line("");
    let footnotes = Footnotes::of(block);
    line(&flow(overview::TITLE));
    line(&grid(&overview(block, analysis), Some(&footnotes)).draw(style));
    if overview::is_carried(block, analysis) {
        line(&flow(overview::CARRIED));
    }
    line(&footnotes.draw(block, style));
    for sentence in recommendations::lines(block, analysis) {
        line(&flow(&sentence));
    }
    line("");
}
