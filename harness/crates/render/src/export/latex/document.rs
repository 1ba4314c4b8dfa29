//! The tables of a report.

use crate::export::latex::chain::chain_tables;
use crate::export::latex::entry::Column;
use crate::export::latex::escape::escape;
use crate::export::latex::layout::lines;
use crate::export::latex::measured::{Set, measured};
use crate::export::latex::options::{Metric, TableOptions};
use crate::export::latex::panel::{Group, Labels, panels};
use crate::text::heading;
use harness_report::Report;
use harness_report::aggregate::{Block, blocks};
use harness_report::analysis::{Analysis, analyse};

/// Lines of a float without its caption: what a page holds.
pub(super) const LINES: usize = 42;
/// Floats that TeX holds back for sure.
const HELD: usize = 16;
/// Lines that heads may take of these.
const HEADS: usize = 8;
/// Widest head of a method or metric, in points.
const HEAD: f64 = 48.0;

/// Tables for each upgrade and chain: the means over data sets, then each data set. In bold what
/// leads by a metric as far as is shown; H of a data set is not tested.
pub(crate) fn latex(report: &Report, options: &TableOptions) -> String {
    let analysis = analyse(report);
    let graphics = if options.resize { ",graphicx" } else { "" };
    let mut file = format!(
        "% {}: methods x data sets, in percent. In the preamble: \\usepackage{{booktabs,siunitx{graphics}}}\n",
        escape(&report.suite.name)
    );
    for (number, block) in blocks(report).iter().enumerate() {
        file += &tables(block, &analysis, options, number + 1);
    }
    for (number, of) in analysis.chains.iter().enumerate() {
        file += &chain_tables(of, options, number + 1);
    }
    file
}

/// What begins a float; `part` counts those of one table.
pub(super) fn begin(
    environment: &str,
    title: &str,
    caption: &str,
    label: &str,
    part: usize,
) -> String {
    let (caption, label) = match part {
        0 => (format!("{title}. {caption}"), label.to_owned()),
        part => (
            format!("{title} (continued)."),
            format!("{label}-{}", part + 1),
        ),
    };
    let mut text = format!(
        "\\begin{{{environment}}}\n\\centering\\footnotesize\\setlength{{\\tabcolsep}}{{3pt}}\n"
    );
    text += "\\sisetup{detect-weight=true}\n";
    text + &format!("\\caption{{{caption}}}\n\\label{{tab:{label}}}\n")
}

/// A tabular at its own width, or scaled down to that of the text.
pub(super) fn placed(tabular: &str, options: &TableOptions) -> String {
    match options.resize {
        true => format!(
            "\\resizebox{{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}}{{!}}{{%\n{tabular}}}\n"
        ),
        false => tabular.to_owned(),
    }
}

fn tables(
    block: &Block<'_>,
    analysis: &Analysis<'_>,
    options: &TableOptions,
    number: usize,
) -> String {
    let methods = block.methods.iter().map(|method| method.label.to_owned());
    let rows: Vec<String> = std::iter::once("zero-shot".to_owned())
        .chain(methods)
        .collect();
    let sets = measured(block, analysis, options);
    let (names, groups) = match options.transpose {
        false => (rows, by_dataset(sets)),
        true => by_method(&rows, &sets, options.of_dataset()),
    };
    let digits = usize::from(options.digits);
    let labels = Labels::of(&names, options.width.points());
    let panels = panels(groups, options.width.points() - labels.width(), digits);
    let title = escape(&heading(block));
    let caption = caption(block, options);
    let label = format!("harness-{number}");
    let environment = options.width.environment();
    let pages = labels.pages(LINES - HEADS);
    let mut floats: Vec<(usize, Vec<String>)> = Vec::new();
    for (panel, rows) in panels
        .iter()
        .flat_map(|p| pages.iter().map(move |rows| (p, rows)))
    {
        let height = panel.head(digits) + labels.height(rows);
        let tabular = placed(&panel.tabular(&labels, rows, digits), options);
        match floats.last_mut() {
            Some((used, tabulars)) if *used + height <= LINES => {
                *used += height;
                tabulars.push(tabular);
            }
            _ => floats.push((height, vec![tabular])),
        }
    }
    let mut text = String::new();
    for (part, (_, tabulars)) in floats.iter().enumerate() {
        if part > 0 && part % HELD == 0 {
            text += "\\clearpage\n";
        }
        text += &begin(environment, &title, &caption, &label, part);
        text += &tabulars.join("\n\\medskip\n");
        text += &format!("\\end{{{environment}}}\n");
    }
    text
}

/// A group for the means and each data set, a column for each metric.
fn by_dataset(sets: Vec<Set>) -> Vec<Group> {
    let groups = sets.into_iter().map(|set| {
        let columns = set.columns.into_iter().map(|(metric, entries)| Column {
            head: metric
                .head()
                .iter()
                .map(|line| (*line).to_owned())
                .collect(),
            entries,
        });
        Group {
            name: set.name,
            columns: columns.collect(),
        }
    });
    groups.collect()
}

/// A group for each metric, a column for the zero-shot and each method, a row for each data set.
fn by_method(rows: &[String], sets: &[Set], metrics: &[Metric]) -> (Vec<String>, Vec<Group>) {
    let groups = metrics.iter().map(|metric| {
        let columns = rows.iter().enumerate().map(|(row, label)| {
            let entries = sets.iter().map(|set| {
                let column = set.columns.iter().find(|(of, _)| of == metric);
                let entry = column.and_then(|(_, entries)| entries.get(row));
                entry.copied().unwrap_or_default()
            });
            Column {
                head: lines(label, HEAD, escape),
                entries: entries.collect(),
            }
        });
        Group {
            name: metric.head().join(" "),
            columns: columns.collect(),
        }
    });
    (
        sets.iter().map(|set| set.name.clone()).collect(),
        groups.collect(),
    )
}

fn caption(block: &Block<'_>, options: &TableOptions) -> String {
    let shown = |metric| options.of_means().contains(&metric);
    let mut parts = Vec::new();
    if shown(Metric::Base) || shown(Metric::H) {
        parts.push("Base: accuracy of a module on the source that it was trained on");
    }
    parts.push("New: accuracy of the same module moved to the target");
    if shown(Metric::Retrained) {
        parts.push("retrained: accuracy of a module trained on the target");
    }
    if shown(Metric::H) {
        parts.push("H: harmonic mean of Base and New");
    }
    let intervals = match block.replicates() {
        replicates if replicates.count() > 2 => format!(
            ", means with 95\\,\\% Student-t intervals over {}",
            replicates.noun()
        ),
        _ => String::new(),
    };
    let line = if options.transpose { "row" } else { "column" };
    format!(
        "{}; in percent{intervals}. Bold: the best by a metric in a {line}, zero-shot included, and \
         what it is not shown to be above (95\\,\\%; of means, intervals that meet); $\\dagger$: the \
         highest, where nothing is shown.",
        parts.join("; "),
    )
}
