//! Tables for a paper, with booktabs.

use crate::export::NAME;
use crate::tables::averages::{Average, averages};
use crate::tables::chain;
use crate::tables::facts::{Facts, row};
use crate::tables::{Cell, Number, Table};
use crate::text::{heading, one_line, percent};
use harness_report::Report;
use harness_report::aggregate::{Block, blocks};
use harness_report::analysis::{Analysis, Assessment, ChainAnalysis, analyse};
use harness_report::metrics::harmonic_mean;

/// Data sets side by side: what fits a page of two columns in small type.
const ABREAST: usize = 4;

/// What stands where no number exists.
const MISSING: &str = "--";

/// A `table*` for each upgrade: the averages, then each data set's Base, New and H, the
/// best of each column in bold. To be read with `\input` by a document that loads booktabs.
pub(crate) fn latex(report: &Report) -> String {
    let analysis = analyse(report);
    let mut file = format!(
        "% {}: methods x data sets, in percent. In the preamble: \\usepackage{{booktabs}}\n",
        escape(&report.suite.name)
    );
    for (number, block) in blocks(report).iter().enumerate() {
        file += &table(block, &analysis, number + 1);
    }
    for (number, of) in analysis.chains.iter().enumerate() {
        file += &chain_table(of, number + 1);
    }
    file
}

/// A `table*` for a chain: the gain on each backbone, below it what the step to it changed.
fn chain_table(of: &ChainAnalysis<'_>, number: usize) -> String {
    let drawn = chain::chain(of);
    let mut text = format!(
        "\\begin{{table*}}\n\\centering\\small\n\\caption{{{}. Accuracy of modules over each \
         backbone's zero-shot, and in brackets what the step to it changed, in points; * shown \
         over all steps, methods and data sets.}}\n\\label{{tab:harness-chain-{number}}}\n\
         \\begin{{tabular}}{{lll{}}}\n\\toprule\nmethod",
        escape(&chain::heading(of)),
        "r".repeat(of.backbones.len())
    );
    for head in &drawn.heads {
        text += &format!(" & {}", escape(head));
    }
    text += " \\\\\n\\midrule\n";
    for row in &drawn.rows {
        text += &escape(row.label);
        for cell in &row.cells {
            text += " & ";
            text += &match cell {
                Cell::Stop { gain, change } => {
                    let change = change.as_deref().map(signed);
                    let change = change.map_or_else(String::new, |of| format!(" ({of})"));
                    format!("{}{change}", signed(&gain.main()))
                }
                Cell::Text(text) => escape(text),
                Cell::Blank => String::new(),
                _ => MISSING.to_owned(),
            };
        }
        text += " \\\\\n";
    }
    text + "\\bottomrule\n\\end{tabular}\n\\end{table*}\n"
}

/// Points without the glyph that TeX may lack, in a minus of its own length.
fn signed(points: &str) -> String {
    let number = points.trim_start_matches(|c: char| !c.is_ascii()).trim();
    let (number, mark) = match number.strip_suffix('*') {
        Some(number) => (number, "^{*}"),
        None => (number, ""),
    };
    format!("${number}{mark}$")
}

fn table(block: &Block<'_>, analysis: &Analysis<'_>, number: usize) -> String {
    let mut table = String::from("\\begin{table*}\n\\centering\\small\n");
    table += &format!(
        "\\caption{{{}. Base is the accuracy of a module on the source it was trained on, New that of \
         the same module moved to the target, H their harmonic mean; in percent{}. The best of each \
         column in bold.}}\n",
        escape(&heading(block)),
        match block.replicates() {
            replicates if replicates.count() > 2 => format!(
                ", averages with 95\\,\\% Student-t intervals over {}",
                replicates.noun()
            ),
            _ => String::new(),
        }
    );
    table += &format!("\\label{{tab:harness-{number}}}\n");
    let columns: Vec<Average> = Average::ACCURACIES
        .into_iter()
        // A share of accuracies is no accuracy, and the page is narrow.
        .filter(|column| !matches!(column, Average::Recovery | Average::GainKept))
        .collect();
    let title = format!("Mean of {} data sets", block.datasets.len());
    table += &tabular(&title, &averages(block, analysis, &columns));
    let columns: Vec<usize> = (0..block.datasets.len()).collect();
    for panel in columns.chunks(ABREAST) {
        table += "\n\\medskip\n";
        table += &datasets(block, analysis, panel);
    }
    table + "\\end{table*}\n"
}

/// A number of a table: as it is printed, and as it is compared.
struct Slot {
    text: String,
    value: Option<f64>,
}

impl Slot {
    fn number(value: Option<f64>) -> Self {
        Self {
            text: value.map_or(MISSING.into(), percent),
            value,
        }
    }

    fn of(cell: &Cell<'_>) -> Self {
        let Cell::Number(Number {
            value, half_width, ..
        }) = cell
        else {
            return Self::number(None);
        };
        let mut slot = Self::number(Some(*value));
        if let Some(half) = half_width {
            slot.text += &format!(" {{\\scriptsize$\\pm${}}}", percent(*half));
        }
        slot
    }
}

/// A table of numbers.
fn tabular(title: &str, table: &Table<'_>) -> String {
    let mut text = format!(
        "\\begin{{tabular}}{{l{}}}\n\\toprule\n{title}",
        "r".repeat(table.heads.len())
    );
    for head in &table.heads {
        text += &format!(" & {}", escape(head));
    }
    text += " \\\\\n\\midrule\n";
    let (methods, zero): (Vec<_>, Vec<_>) = table.rows.iter().partition(|row| row.method.is_some());
    let slots = |cells: &[Cell<'_>]| cells.iter().map(Slot::of).collect::<Vec<_>>();
    for row in zero {
        text += &line(&escape(row.label), &slots(&row.cells));
    }
    let methods = methods.iter();
    let methods = methods.map(|row| (escape(row.label), slots(&row.cells)));
    text += &body(methods.collect());
    text + "\\bottomrule\n\\end{tabular}\n"
}

/// Base, New and H of some of the data sets.
fn datasets(block: &Block<'_>, analysis: &Analysis<'_>, panel: &[usize]) -> String {
    let mut text = format!(
        "\\begin{{tabular}}{{l{}}}\n\\toprule\n",
        "rrr".repeat(panel.len())
    );
    let (mut names, mut rules, mut heads) = (String::new(), String::new(), String::new());
    for (at, column) in panel.iter().enumerate() {
        let name = block.datasets.get(*column).copied().unwrap_or_default();
        names += &format!(" & \\multicolumn{{3}}{{c}}{{{}}}", escape(name));
        rules += &format!("\\cmidrule(lr){{{}-{}}}", 3 * at + 2, 3 * at + 4);
        heads += " & Base & New & H";
    }
    text += &format!("{names} \\\\\n{rules}\n{heads} \\\\\n\\midrule\n");
    let zero = panel.iter().flat_map(|column| {
        let zero = block
            .zero_shot
            .entries
            .get(*column)
            .copied()
            .unwrap_or_default();
        let h = zero
            .source
            .zip(zero.target)
            .map(|(s, t)| harmonic_mean(s, t));
        [zero.source, zero.target, h].map(Slot::number)
    });
    text += &line("zero-shot", &zero.collect::<Vec<_>>());
    let rows = block.methods.iter().map(|method| {
        let entries = row(analysis, block, method);
        let entries = panel
            .iter()
            .map(|column| entries.get(*column).copied().flatten());
        let slots = entries.flat_map(entry_slots);
        (escape(method.label), slots.collect())
    });
    text += &body(rows.collect());
    text + "\\bottomrule\n\\end{tabular}\n"
}

fn entry_slots(entry: Option<&Assessment<'_>>) -> [Slot; 3] {
    let facts = entry.and_then(Facts::of);
    [
        facts.map(|f| f.base.mean),
        facts.map(|f| f.new.mean),
        facts.map(|f| f.h.mean),
    ]
    .map(Slot::number)
}

/// The rows of methods, the highest printed number of each column in bold.
fn body(mut rows: Vec<(String, Vec<Slot>)>) -> String {
    let columns = rows.first().map_or(0, |(_, slots)| slots.len());
    for column in 0..columns {
        let printed = |slot: &Slot| slot.value.map(|value| (value * 1e4).round());
        let values = rows
            .iter()
            .filter_map(|(_, slots)| printed(slots.get(column)?));
        let Some(best) = values.reduce(f64::max) else {
            continue;
        };
        for slot in rows
            .iter_mut()
            .filter_map(|(_, slots)| slots.get_mut(column))
        {
            if printed(slot) == Some(best) {
                slot.text = format!("\\textbf{{{}}}", slot.text);
            }
        }
    }
    rows.iter()
        .map(|(label, slots)| line(label, slots))
        .collect()
}

fn line(label: &str, slots: &[Slot]) -> String {
    let slots = slots.iter().map(|slot| format!(" & {}", slot.text));
    format!("{label}{} \\\\\n", slots.collect::<String>())
}

/// A text of the report on one line, as text to TeX. A character that pdflatex may have no
/// glyph for is written as its code point.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in one_line(text, NAME).chars() {
        match c {
            '\\' => escaped += "\\textbackslash{}",
            '{' | '}' | '$' | '&' | '#' | '_' | '%' => escaped.extend(['\\', c]),
            '^' => escaped += "\\textasciicircum{}",
            '~' => escaped += "\\textasciitilde{}",
            '<' => escaped += "\\textless{}",
            '>' => escaped += "\\textgreater{}",
            '|' => escaped += "\\textbar{}",
            // The default encoding has no such letter or mark.
            'Ð' | 'ð' | 'Þ' | 'þ' | '"' => escaped += &code_point(c),
            '`' => escaped += "\\textasciigrave{}",
            '[' | ']' => escaped += &format!("{{{c}}}"),
            '→' => escaped += "$\\to$",
            ' '..='~' | 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ÿ' => escaped.push(c),
            other => escaped += &code_point(other),
        }
    }
    escaped
}

fn code_point(c: char) -> String {
    format!("\\texttt{{U+{:04X}}}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::latex;
    use crate::export::sample::{drawn, hostile};
    use crate::export::tools::tool;

    #[test]
    fn the_tables_compile() {
        let Some(pdflatex) = tool("pdflatex") else {
            return;
        };
        let methods = ["coop", "kgcoop", "contcoop"];
        let datasets = ["a", "b", "c", "d", "e"].map(|name| (name, 2));
        for report in [hostile(), drawn(&methods, &datasets, &[1, 2], 50)] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("table.tex"), latex(&report)).unwrap();
            let document = "\\documentclass{article}\\usepackage{booktabs}\
                            \\begin{document}\\input{table.tex}\\end{document}";
            std::fs::write(folder.path().join("paper.tex"), document).unwrap();
            let output = Command::new(&pdflatex)
                .args(["-interaction=nonstopmode", "-halt-on-error", "paper.tex"])
                .current_dir(folder.path())
                .output()
                .unwrap();
            let log = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{log}");
            assert!(folder.path().join("paper.pdf").is_file());
        }
    }
}
