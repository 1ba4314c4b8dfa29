//! What GitHub Actions shows: the step summary and annotations.

use crate::gate::failure::{PROVISIONAL, coordinates, difference, method_line};
use crate::gate::render::{sentence, summary_line};
use crate::text::one_line;
use harness_report::gate::Judgement;
use harness_report::gate::{Comparison, Outcome};

/// Bytes of a step's summary; GitHub drops a larger one as a whole.
pub const STEP_SUMMARY_LIMIT: usize = 1024 * 1024;
/// Error annotations that GitHub shows of a step.
const ANNOTATIONS: usize = 10;
/// Room for the sentence that says how many rows are missing.
const ROOM: usize = 200;

/// The step summary in Markdown, at most `limit` bytes: cut at the border of a row, saying so.
/// Failing cells come first.
pub fn step_summary(judgement: &Judgement<'_>, is_strict: bool, limit: usize) -> String {
    let mut text = format!("### harness gate: {}\n\n", escape(&sentence(judgement)));
    if !judgement.mismatches.is_empty() {
        text.push_str("Compared although the inputs of the two reports differ:\n\n");
        for mismatch in judgement.mismatches.iter().take(20) {
            text.push_str(&format!("- {}\n", escape(&mismatch.to_string())));
        }
        text.push('\n');
    }
    for plugin in &judgement.changed_plugins {
        text.push_str(&format!("- changed plugin: {}\n", escape(plugin)));
    }
    for one in judgement.regressed_methods() {
        text.push_str(&format!("- {}\n", escape(&method_line(one))));
    }
    if judgement.is_mostly_inconclusive() {
        text.push_str(
            "\n**Most changed cells are inconclusive**: more seeds or images are needed.\n",
        );
    }
    let end = format!("\n</details>\n\n`{}`\n", summary_line(judgement, is_strict));
    let mut rows: Vec<&Comparison<'_>> = judgement.comparisons.iter().collect();
    rows.sort_by_key(|one| rank(one.outcome));
    let changed = rows.partition_point(|one| rank(one.outcome) < rank(Outcome::Passed));
    let mut left = rows.len();
    if changed > 0 {
        text.push_str(HEAD);
    }
    let fold = format!(
        "\n<details><summary>{} cells passed or unchanged</summary>\n\n{HEAD}",
        rows.len() - changed
    );
    for (index, one) in rows.into_iter().enumerate() {
        let row = row(one);
        if text.len() + row.len() + fold.len() + end.len() + ROOM > limit {
            break;
        }
        if index == changed {
            text.push_str(&fold);
        }
        text.push_str(&row);
        left -= 1;
    }
    let is_folded = text.contains("<details>");
    let end = if is_folded {
        end
    } else {
        end.replacen("\n</details>\n", "", 1)
    };
    if left > 0 {
        text.push_str(&format!(
            "\n{left} more cells are left out: the summary is full.\n"
        ));
    }
    text + &end
}

const HEAD: &str = "\n| | cell | baseline | measured | difference | smallest margin |\n\
                    |-|-|-:|-:|-:|-:|\n";

fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Regressed | Outcome::Unfit => 0,
        Outcome::Broken | Outcome::Outstanding => 1,
        Outcome::Inconclusive | Outcome::OtherData => 2,
        Outcome::Passed => 3,
        Outcome::Unchanged => 4,
    }
}

fn row(one: &Comparison<'_>) -> String {
    let percent = |value: f64| format!("{:.2}", value * 100.0);
    let missing = || "n/a".to_owned();
    format!(
        "| {}{} | {} | {} | {} | {} | {} |\n",
        one.outcome.word(),
        if one.is_provisional() {
            format!(" {}", escape(PROVISIONAL.trim_start()))
        } else {
            String::new()
        },
        escape(&coordinates(one)),
        percent(one.before),
        one.after.map_or_else(missing, percent),
        difference(one),
        one.smallest_margin.map_or_else(String::new, percent)
    )
}

/// Text that Markdown and HTML show as it is.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in one_line(text, 400).chars() {
        match c {
            '&' | '<' | '>' | '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '~'
            | '@' | '!' | '$' => safe.push_str(&format!("&#{};", u32::from(c))),
            _ => safe.push(c),
        }
    }
    safe
}

/// `::error` commands for the cells that fail, each on a line: as many as GitHub shows.
pub fn annotations(judgement: &Judgement<'_>) -> String {
    let failing = judgement
        .comparisons
        .iter()
        .filter(|one| rank(one.outcome) < 2);
    let lines = failing.take(ANNOTATIONS).map(|one| {
        let margin = one
            .smallest_margin
            .map(|margin| format!("; a margin of {:.2} points would pass", margin * 100.0));
        let message = format!(
            "{}: {}{}",
            coordinates(one),
            difference(one),
            margin.unwrap_or_default()
        );
        format!(
            "::error file={},title={}::{}\n",
            property(judgement.suite),
            property(&format!("harness gate {}", one.outcome.word())),
            data(&message)
        )
    });
    lines.collect()
}

/// A message of a workflow command.
fn data(text: &str) -> String {
    one_line(text, 400).replace('%', "%25")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
