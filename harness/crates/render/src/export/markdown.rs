//! Tables as GitHub and GitLab show them.

use crate::export::comparison::{Compared, change, numbers};
use crate::export::{MESSAGE, NAME};
use crate::tables::averages::{self, Average, averages};
use crate::tables::chain;
use crate::tables::matrix::{self, matrix};
use crate::tables::recommendations::{self, recommendations};
use crate::tables::{Cell, Table};
use crate::text::{
    MISSING, NOT_AVAILABLE, command, heading, one_line, reason, summary_line, verdicts, word,
};
use harness_report::Report;
use harness_report::aggregate::{Block, blocks};
use harness_report::analysis::analyse;
use harness_report::shell::join;

/// The report as a page of Markdown: for each upgrade what to do, the matrix, the
/// averages and what gave no number; before all that what differs from an older report.
pub(crate) fn markdown(report: &Report, old: Option<&Report>) -> String {
    let analysis = analyse(report);
    let mut page = format!("# {}\n", escape(&report.suite.name, NAME));
    for note in &report.input_notes {
        page += &format!("\n⚠ {}\n", escape(note, MESSAGE));
    }
    if let Some(old) = old {
        page += &comparison(&Compared::of(report, old));
    }
    for block in blocks(report) {
        page += &format!("\n## {}\n\n", escape(&heading(&block), MESSAGE));
        if let Some(outlook) = recommendations::outlook(&block, &analysis) {
            page += &format!("{}\n\n", escape(&outlook, MESSAGE));
        }
        for verdict in verdicts(&block, &analysis) {
            page += &format!("- {}\n", escape(&verdict, MESSAGE));
        }
        page += &format!(
            "\n{}\n\n",
            escape(&recommendations::title(&analysis), MESSAGE)
        );
        page += &drawn(&recommendations(&block, &analysis));
        page += &format!(
            "\n{}\n",
            escape(&recommendations::definitions(&analysis), MESSAGE)
        );
        page += &format!("\n{}\n\n", matrix::TITLE);
        page += &drawn(&matrix(&block));
        page += &format!("\n{}\n\n", averages::title(&block));
        page += &drawn(&averages(&block, &analysis, &Average::ACCURACIES));
        for note in averages::notes(&block, &analysis) {
            page += &format!("\n{}\n", escape(&note, MESSAGE));
        }
        page += &format!("\n{}\n\n", averages::SPREAD);
        page += &drawn(&averages::spread(&block, &analysis));
        page += &problems(&block);
    }
    for of in &analysis.chains {
        page += &format!("\n## {}\n\n", escape(&chain::heading(of), MESSAGE));
        for sentence in chain::sentences(of) {
            page += &format!("- {}\n", escape(&sentence, MESSAGE));
        }
        page += &format!("\n{}\n\n", escape(chain::TITLE, MESSAGE));
        page += &drawn(&chain::chain(of));
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

/// A table of the report.
fn drawn(of: &Table<'_>) -> String {
    let heads = of.heads.iter().map(|head| escape(head, NAME));
    let head: Vec<String> = std::iter::once(String::new()).chain(heads).collect();
    let rows = of.rows.iter().map(|row| {
        let texts = row.cells.iter().map(text);
        std::iter::once(escape(row.label, NAME))
            .chain(texts)
            .collect()
    });
    table(&head, rows)
}

fn text(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Blank => String::new(),
        Cell::Missing(None) => NOT_AVAILABLE.to_owned(),
        Cell::Missing(Some(status)) => format!("{MISSING} {}", word(status)),
        Cell::Number(number) => number.text(),
        Cell::New {
            accuracy,
            over_zero_shot,
            missing,
        } => {
            let partial = if *missing == 0 { "" } else { " ✗" };
            format!("{} {}{partial}", accuracy.text(), over_zero_shot.text())
        }
        Cell::Stop { gain, change } => match change {
            Some(change) => format!("{} ({})", gain.main(), escape(change, NAME)),
            None => gain.main(),
        },
        Cell::Recommendation {
            verdict: None,
            recommendation,
            ..
        } => recommendation.word().to_owned(),
        Cell::Recommendation {
            verdict: Some(verdict),
            recommendation,
            ..
        } => format!(
            "{} {}, {}",
            verdict.glyph(),
            verdict.word(),
            recommendation.word()
        ),
        Cell::Text(text) => escape(text, NAME),
    }
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
        Some(git) if git.dirty => format!(", revision {} (modified)", git.revision),
        Some(git) => format!(", revision {}", git.revision),
        None => String::new(),
    };
    let device = match &of.device {
        Some(device) => format!("\n- towers on {}", escape(&device.describe(), NAME)),
        None => String::new(),
    };
    format!(
        "\n<details><summary>Provenance</summary>\n\n- {}\n- harness {}{}, started {}{device}\n- suite {}, \
         sha256 {}\n- rerun: {}\n\n</details>\n",
        escape(&summary_line(report), MESSAGE),
        escape(&of.harness, NAME),
        escape(&revision, NAME),
        escape(&of.started, NAME),
        escape(&report.suite.path, MESSAGE),
        escape(&report.suite.sha256, NAME),
        escape(&command(&join(&of.rerun)), usize::MAX),
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

/// A text of the report on one line, as text in Markdown.
pub fn markdown_text(text: &str) -> String {
    escape(text, MESSAGE)
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
