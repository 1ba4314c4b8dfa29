//! What a gate or a difference prints.

use crate::gate::commands::Commands;
use crate::gate::failure::{PROVISIONAL, block, coordinates, difference, method_block};
use crate::terminal::Style;
use crate::text::one_line;
use harness_report::gate::Judgement;
use harness_report::gate::{Comparison, Outcome};

/// Most mismatches and cells of one kind that are listed.
const LISTED: usize = 20;

/// What a gate found: a sentence, every cell that fails with what to do about it, then one
/// line for machines.
pub fn render(
    judgement: &Judgement<'_>,
    commands: &Commands<'_>,
    is_strict: bool,
    style: &Style,
) -> String {
    let mut text = style.bold(&sentence(judgement));
    text.push_str("\n\n");
    text.push_str(&mismatch_note(judgement));
    text.push_str(&plugin_note(judgement));
    for one in judgement.regressions() {
        text.push_str(&block(one, judgement, commands));
        text.push('\n');
    }
    for one in judgement.regressed_methods() {
        text.push_str(&method_block(one, judgement));
        text.push('\n');
    }
    for outcome in [
        Outcome::Broken,
        Outcome::Outstanding,
        Outcome::Inconclusive,
        Outcome::OtherData,
    ] {
        text.push_str(&listed(judgement, outcome));
    }
    if judgement.without_baseline > 0 {
        text.push_str(&format!(
            "not compared: {} cells without a number in the baseline\n\n",
            judgement.without_baseline
        ));
    }
    if judgement.is_mostly_inconclusive() {
        text.push_str(
            "warning: most changed cells are inconclusive; this gate would miss losses: use more \
             seeds or images, or a wider margin\n\n",
        );
    }
    text.push_str(&summary_line(judgement, is_strict));
    text.push('\n');
    text
}

/// The gate in one sentence.
pub(super) fn sentence(judgement: &Judgement<'_>) -> String {
    let all = judgement.comparisons.len();
    let margin = judgement.rule.margin;
    let regressed = judgement.regressions().count();
    let open = judgement.count(Outcome::Inconclusive);
    let lost = judgement.count(Outcome::Broken) + judgement.count(Outcome::Outstanding);
    let mut parts = Vec::new();
    if regressed > 0 {
        parts.push(format!("{regressed} of {all} cells regressed"));
    }
    let methods = judgement.regressed_methods().count();
    if methods > 0 {
        let all = judgement.methods.len();
        parts.push(format!(
            "{methods} of {all} methods regressed over their data sets"
        ));
    }
    if lost > 0 {
        parts.push(format!("{lost} of {all} cells gave no number"));
    }
    if open > 0 {
        parts.push(format!(
            "{open} of {all} cells are inconclusive (margin {margin:.2} points)"
        ));
    }
    match (all, &*parts) {
        (0, _) => {
            "nothing to compare: the baseline has no number for any of these cells".to_owned()
        }
        (_, []) => format!("none of {all} cells lost {margin:.2} points or more"),
        (_, parts) => parts.join("; "),
    }
}

fn mismatch_note(judgement: &Judgement<'_>) -> String {
    if judgement.mismatches.is_empty() {
        return String::new();
    }
    let mut text = "warning: the inputs of the two reports differ; compared because of \
                    --allow-mismatch\n"
        .to_owned();
    text.push_str(&some(
        judgement
            .mismatches
            .iter()
            .map(|m| one_line(&m.to_string(), 200)),
    ));
    text.push('\n');
    text
}

fn listed(judgement: &Judgement<'_>, outcome: Outcome) -> String {
    let found = judgement
        .comparisons
        .iter()
        .filter(|one| one.outcome == outcome);
    let lines: Vec<String> = found
        .map(|one| match (outcome, one.problem) {
            (Outcome::Inconclusive, _) => format!(
                "{}: {}{}",
                coordinates(one),
                difference(one),
                if one.is_provisional() {
                    PROVISIONAL
                } else {
                    ""
                }
            ),
            (_, Some(status)) => format!(
                "{}: {} {}",
                coordinates(one),
                status.word(),
                crate::text::reason(status)
            ),
            _ => coordinates(one),
        })
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    let head = match outcome {
        Outcome::Broken => "gave no number",
        Outcome::Outstanding => "outstanding",
        Outcome::OtherData => "not compared: tested on different images",
        _ => "inconclusive: neither a loss nor a loss within the margin shown",
    };
    format!("{head}:\n{}\n", some(lines.into_iter()))
}

/// The first lines, indented, and how many more there are.
fn some(lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    let mut text = String::new();
    for line in lines.iter().take(LISTED) {
        text.push_str(&format!("    {line}\n"));
    }
    if lines.len() > LISTED {
        text.push_str(&format!("    and {} more\n", lines.len() - LISTED));
    }
    text
}

pub(super) fn summary_line(judgement: &Judgement<'_>, is_strict: bool) -> String {
    let outcomes = [
        Outcome::Regressed,
        Outcome::Unfit,
        Outcome::Inconclusive,
        Outcome::Passed,
        Outcome::Unchanged,
        Outcome::Broken,
        Outcome::Outstanding,
        Outcome::OtherData,
    ];
    let counts = outcomes.map(|o| format!("{}={} ", o.word(), judgement.count(o)));
    format!(
        "Summary {}regressed-methods={} provisional={} without-baseline={} mismatches={} margin={:.2} alpha={} exit={}",
        counts.concat(),
        judgement.regressed_methods().count(),
        judgement
            .comparisons
            .iter()
            .filter(|one| one.is_provisional())
            .count(),
        judgement.without_baseline,
        judgement.mismatches.len(),
        judgement.rule.margin,
        judgement.rule.alpha,
        judgement.exit_code(is_strict).code()
    )
}

/// The cells that differ, old and new, with their intervals: a difference without a verdict.
pub fn render_difference(judgement: &Judgement<'_>, style: &Style) -> String {
    let all = judgement.comparisons.len();
    let count = |direction| {
        let directions = judgement.comparisons.iter().map(Comparison::direction);
        directions.filter(|found| *found == direction).count()
    };
    let unchanged = judgement.count(Outcome::Unchanged);
    let sentence = format!(
        "of {all} cells {} are better, {} worse, {unchanged} unchanged; the rest are \
         inconclusive",
        count(1),
        count(-1)
    );
    let is_same = all > 0 && unchanged == all && judgement.without_baseline == 0;
    if is_same && judgement.mismatches.is_empty() {
        let sentence =
            format!("no differences: New is right and wrong on the same images in all {all} cells");
        return format!(
            "{}\n{}\n{}",
            style.bold(&sentence),
            plugin_note(judgement),
            difference_line(judgement)
        );
    }
    let mut text = style.bold(&sentence);
    text.push_str("\n\n");
    text.push_str(&mismatch_note(judgement));
    text.push_str(&plugin_note(judgement));
    text.push_str("New (target) in percent, old → new, difference with its 95 % interval\n");
    for one in &judgement.comparisons {
        if one.outcome == Outcome::Unchanged {
            continue;
        }
        let glyph = match one.direction() {
            1 => '▲',
            -1 => '▼',
            _ => '·',
        };
        let after = one
            .after
            .map_or("n/a".to_owned(), |a| format!("{:.2}", a * 100.0));
        let before = one.before * 100.0;
        let line = format!(
            "{glyph} {}: {before:.2} → {after}, {}",
            coordinates(one),
            difference(one)
        );
        text.push_str(&style.paint(&line, one.direction()));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&difference_line(judgement));
    text
}

/// The number of cells by direction, for `grep`.
fn difference_line(judgement: &Judgement<'_>) -> String {
    let directions = judgement.comparisons.iter().map(Comparison::direction);
    let directions: Vec<i8> = directions.collect();
    let count = |direction| directions.iter().filter(|one| **one == direction).count();
    let unchanged = judgement.count(Outcome::Unchanged);
    format!(
        "Summary better={} worse={} level={} unchanged={unchanged} without-baseline={} mismatches={}\n",
        count(1),
        count(-1),
        directions.len() - count(1) - count(-1) - unchanged,
        judgement.without_baseline,
        judgement.mismatches.len()
    )
}

/// A line for each plugin that is another file.
fn plugin_note(judgement: &Judgement<'_>) -> String {
    let plugins = judgement.changed_plugins.iter();
    let lines = plugins.map(|plugin| format!("changed plugin: {}\n", one_line(plugin, 200)));
    lines.collect()
}
