//! The whole report: verdicts, matrix and summary for each upgrade, then one line
//! for machines.

use crate::terminal::carried::carried;
use crate::terminal::cost;
use crate::terminal::footnotes::{Footnotes, NAME};
use crate::terminal::left_out::left_out;
use crate::terminal::matrix::matrix;
use crate::terminal::numbers::list;
use crate::terminal::sanitise::one_line;
use crate::terminal::style::Style;
use crate::terminal::summary;
use crate::terminal::verdict::verdicts;
use crate::terminal::wrap;
use crate::terminal::{changes, classes, decisions, explanations};
use harness_report::Report;
use harness_report::Status;
use harness_report::aggregate::{Block, blocks};
use harness_report::analysis::{Analysis, analyse};

/// The report as text, ended by a line break. The last line is [`summary_line`].
pub fn render(report: &Report, style: &Style) -> String {
    let mut text = String::new();
    let analysis = analyse(report);
    for block in blocks(report) {
        render_block(report, &block, &analysis, *style, &mut text);
    }
    if let Some(table) = cost::cost(report) {
        text.push_str(&wrap::sentence(cost::TITLE, style.width, "  "));
        text.push('\n');
        text.push_str(&table.draw(*style));
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

/// The number of cells in each status and the wall-clock seconds of the run, for `grep`:
/// `Summary ok=… not-injectable=… failed=… crashed=… timed-out=… not-run=… wall=…s`.
pub fn summary_line(report: &Report) -> String {
    let count = |wanted: &str| {
        let words = report.cells.iter().map(|cell| Status::word(&cell.status));
        words.filter(|word| *word == wanted).count()
    };
    format!(
        "Summary ok={} not-injectable={} failed={} crashed={} timed-out={} not-run={} wall={:.1}s",
        count("ok"),
        count("not-injectable"),
        count("failed"),
        count("crashed"),
        count("timed-out"),
        count("not-run"),
        report.provenance.wall_seconds
    )
}

fn render_block(
    report: &Report,
    block: &Block<'_>,
    analysis: &Analysis<'_>,
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
    for (method, verdict) in block.methods.iter().zip(verdicts(block)) {
        let decision = decisions::sentence(block, analysis, method.label);
        let decision = decision.map_or_else(String::new, |decision| format!("; {decision}"));
        line(&flow(&format!("{verdict}{decision}")));
    }
    line("");
    line(&flow(
        "New, in percent, and its difference to the target's zero-shot",
    ));
    line(&matrix(block, &footnotes).draw(style));
    line(&footnotes.draw(block, style));
    if analysis
        .of_block(block.upgrade, block.shots)
        .any(|one| one.verdict.is_some())
    {
        line(&flow(&decisions::title(analysis)));
        line(&decisions::decisions(block, analysis).draw(style));
        line("");
    }
    line(&flow(&summary::title(block)));
    line(&summary::summary(block, &footnotes).draw(style));
    for note in summary::notes(block) {
        line(&flow(&note));
    }
    line("");
    if let Some(grid) = changes::changes(block, analysis) {
        line(&flow(changes::TITLE));
        line(&grid.draw(style));
        line("");
    }
    let classes = classes::worst_classes(report, block, analysis);
    if !classes.is_empty() {
        line(&flow("Classes that lost most from Base to New"));
        for class in classes {
            line(&style.paint(&flow(&class), -1));
        }
        line("");
    }
    let explanations = explanations::explanations(report, block, analysis);
    if !explanations.is_empty() {
        for explanation in explanations {
            line(&flow(&explanation));
        }
        line("");
    }
}

/// Upgrade, shots and seeds of a block.
pub(crate) fn heading(block: &Block<'_>) -> String {
    let seeds: Vec<String> = block.seeds.iter().map(u64::to_string).collect();
    format!(
        "{} → {}, {} {}, {} {}",
        one_line(&block.upgrade.source, NAME),
        one_line(&block.upgrade.target, NAME),
        block.shots,
        if block.shots == 1 { "shot" } else { "shots" },
        if seeds.len() == 1 { "seed" } else { "seeds" },
        list(&seeds)
    )
}
