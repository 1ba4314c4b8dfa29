//! Tables as GitHub and GitLab show them.

use crate::export::comparison::{Compared, change, numbers};
use crate::export::facts::{Facts, row};
use crate::export::{MESSAGE, NAME};
use crate::terminal::footnotes::{reason, word};
use crate::terminal::numbers::{NOT_AVAILABLE, percent, points, share};
use crate::terminal::verdict::verdicts;
use crate::terminal::{heading, one_line, summary_line};
use harness_report::Report;
use harness_report::aggregate::{Block, MethodRow, blocks};
use harness_report::analysis::{Analysis, Assessment, analyse};
use harness_report::stats::Estimate;

/// The report as a page of Markdown: for each upgrade what to do, the matrix, the
/// averages and what gave no number; before all that what differs from an older report.
pub(crate) fn markdown(report: &Report, old: Option<&Report>) -> String {
    let analysis = analyse(report);
    let mut page = format!("# {}\n", escape(&report.suite.name, NAME));
    if let Some(old) = old {
        page += &comparison(&Compared::of(report, old));
    }
    for block in blocks(report) {
        page += &format!("\n## {}\n\n", escape(&heading(&block), MESSAGE));
        for verdict in verdicts(&block) {
            page += &format!("- {}\n", escape(&verdict, MESSAGE));
        }
        page += "\nVerdict and recommendation\n\n";
        page += &verdict_table(&block, &analysis);
        page += "\nNew, in percent, and its difference to the target's zero-shot\n\n";
        page += &matrix(&block, &analysis);
        page += "\nAverages over data sets, in percent\n\n";
        page += &averages(&block);
        page += &problems(&block);
    }
    page += &provenance(report);
    page
}

/// What differs from an older report.
fn comparison(compared: &Compared<'_>) -> String {
    let mut text = format!("\n## Compared with {}\n\n", escape(&compared.name, MESSAGE));
    text += &format!("{}\n", escape(&compared.sentence(), MESSAGE));
    for warning in compared.warnings() {
        text += &format!("- ⚠ {}\n", escape(&warning, MESSAGE));
    }
    for of in compared.tables() {
        text += &format!("\nNew before → now, {}\n\n", escape(&of.heading, MESSAGE));
        let names = of.columns.iter().map(|name| escape(name, NAME));
        let head: Vec<String> = std::iter::once(String::new()).chain(names).collect();
        let rows = of.rows.into_iter().map(|(method, entries)| {
            let texts = entries.into_iter().map(|entry| match entry {
                Some(one) => format!("{} {}", numbers(one), change(one)),
                None => String::new(),
            });
            std::iter::once(escape(method, NAME)).chain(texts).collect()
        });
        text += &table(&head, rows);
    }
    text
}

fn verdict_table(block: &Block<'_>, analysis: &Analysis<'_>) -> String {
    let rows = block.methods.iter().map(|method| {
        let entries = row(analysis, block, method).into_iter();
        let texts = entries.map(|entry| match entry {
            None => NOT_AVAILABLE.to_owned(),
            Some(entry) => match entry.verdict {
                None => entry.recommendation.word().to_owned(),
                Some(verdict) => format!(
                    "{} {}, {}",
                    verdict.glyph(),
                    verdict.word(),
                    entry.recommendation.word()
                ),
            },
        });
        labelled(method, texts.collect())
    });
    table(&head(block), rows)
}

fn matrix(block: &Block<'_>, analysis: &Analysis<'_>) -> String {
    let mut head = head(block);
    head.push("mean".into());
    let zero = &block.zero_shot;
    let mut first = vec![String::from("zero-shot")];
    first.extend(zero.entries.iter().map(|zero| number(zero.target)));
    first.push(number(zero.summary.map(|summary| summary.target)));
    let rows = block.methods.iter().map(|method| {
        let entries = row(analysis, block, method).into_iter();
        let mut texts: Vec<String> = entries.map(entry_text).collect();
        texts.push(match &method.summary {
            Some(of) => format!(
                "{} {}",
                percent(of.new.mean),
                points(of.over_zero_shot.mean)
            ),
            None => NOT_AVAILABLE.into(),
        });
        labelled(method, texts)
    });
    table(&head, std::iter::once(first).chain(rows))
}

fn head(block: &Block<'_>) -> Vec<String> {
    let names = block.datasets.iter().map(|name| escape(name, NAME));
    std::iter::once(String::new()).chain(names).collect()
}

fn labelled(method: &MethodRow<'_>, texts: Vec<String>) -> Vec<String> {
    let mut row = vec![escape(method.label, NAME)];
    row.extend(texts);
    row
}

fn entry_text(entry: Option<&Assessment<'_>>) -> String {
    let Some(entry) = entry else {
        return NOT_AVAILABLE.into();
    };
    let Some(facts) = Facts::of(entry) else {
        let missing = entry.missing.first();
        return missing.map_or(NOT_AVAILABLE.into(), |m| format!("✗ {}", word(m.status)));
    };
    let partial = if entry.missing.is_empty() { "" } else { " ✗" };
    format!(
        "{} {}{partial}",
        percent(facts.new.mean),
        points(facts.over_zero_shot.mean)
    )
}

fn averages(block: &Block<'_>) -> String {
    let head = [
        "",
        "Base",
        "New",
        "H of means",
        "mean of H",
        "New over zero-shot",
        "Oracle",
        "gain kept",
    ]
    .map(String::from);
    let zero = block.zero_shot.summary;
    let first = vec![
        String::from("zero-shot"),
        number(zero.map(|z| z.source)),
        number(zero.map(|z| z.target)),
        number(zero.map(|z| z.h_of_means)),
        number(zero.map(|z| z.mean_of_h)),
        String::new(),
        String::new(),
        String::new(),
    ];
    let rows = block.methods.iter().map(average_row);
    table(&head, std::iter::once(first).chain(rows))
}

fn average_row(method: &MethodRow<'_>) -> Vec<String> {
    let Some(of) = &method.summary else {
        return labelled(method, vec![NOT_AVAILABLE.to_owned(); 7]);
    };
    let missing = || NOT_AVAILABLE.to_owned();
    let texts = [
        estimate(&of.base, percent),
        estimate(&of.new, percent),
        estimate(&of.h_of_means, percent),
        estimate(&of.mean_of_h, percent),
        estimate(&of.over_zero_shot, points),
        of.oracle
            .as_ref()
            .map_or_else(missing, |o| estimate(o, percent)),
        of.retention
            .as_ref()
            .map_or_else(missing, |r| share(r.mean)),
    ];
    labelled(method, texts.into())
}

fn estimate(estimate: &Estimate, show: fn(f64) -> String) -> String {
    match estimate.half_width {
        Some(half) => format!("{} ±{}", show(estimate.mean), percent(half)),
        None => show(estimate.mean),
    }
}

fn number(fraction: Option<f64>) -> String {
    fraction.map_or(NOT_AVAILABLE.into(), percent)
}

/// The cells without a number, folded, with the command that runs each again.
fn problems(block: &Block<'_>) -> String {
    let mut lines = String::new();
    for method in &block.methods {
        for (dataset, entry) in block.datasets.iter().zip(&method.entries) {
            for problem in &entry.problems {
                let why = reason(problem.status);
                let colon = if why.is_empty() { "" } else { ": " };
                lines += &format!(
                    "- {} on {}, seed {}: {}{colon}{}\n",
                    escape(method.label, NAME),
                    escape(dataset, NAME),
                    problem.seed,
                    word(problem.status),
                    escape(&why, MESSAGE),
                );
            }
        }
    }
    if lines.is_empty() {
        return lines;
    }
    format!("\n<details><summary>Cells without a number</summary>\n\n{lines}\n</details>\n")
}

fn provenance(report: &Report) -> String {
    let of = &report.provenance;
    let revision = match &of.git {
        Some(git) if git.dirty => format!(", revision {} with changes", git.revision),
        Some(git) => format!(", revision {}", git.revision),
        None => String::new(),
    };
    let command = of.rerun.join(" ");
    format!(
        "\n<details><summary>Provenance</summary>\n\n- {}\n- harness {}{}, started {}\n- suite {}, \
         sha256 {}\n- again: {}\n\n</details>\n",
        escape(&summary_line(report), MESSAGE),
        escape(&of.harness, NAME),
        escape(&revision, NAME),
        escape(&of.started, NAME),
        escape(&report.suite.path, MESSAGE),
        escape(&report.suite.sha256, NAME),
        escape(&command, MESSAGE),
    )
}

fn table(head: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule: Vec<String> = (0..head.len())
        .map(|column| String::from(if column == 0 { "---" } else { "---:" }))
        .collect();
    let rows: String = rows.into_iter().map(|row| line(&row)).collect();
    line(head) + &line(&rule) + &rows
}

/// A text of the report on one line, as text: what Markdown, HTML or GitHub would give a
/// meaning (a pipe, a tag, a mention, an issue, a link) is written as a reference.
fn escape(text: &str, width: usize) -> String {
    let line = one_line(text, width);
    let mut escaped = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            ' ' | '-' | '+' | '=' | ',' | '.' | ';' | '%' | '/' | '\'' | '(' | ')' | '"' => {
                escaped.push(c);
            }
            c if c.is_ascii_punctuation() => escaped += &format!("&#{};", u32::from(c)),
            c => escaped.push(c),
        }
    }
    // A list or a heading begins a line; an address needs no scheme to become a link.
    escaped.replace("www.", "www&#46;")
}
