//! The tables compile, fit their width and mark what is shown.

use std::path::Path;
use std::process::Command;

use super::{Metric, TableOptions, TableWidth, latex};
use crate::export::sample::{drawn, hostile};
use harness_report::Report;
use harness_test_tools::{skipped, tool};

fn narrow() -> TableOptions {
    TableOptions {
        width: TableWidth::Column,
        ..TableOptions::default()
    }
}

/// Eleven data sets, seven methods, three seeds.
fn published() -> Report {
    let methods = [
        "coop",
        "kgcoop",
        "contcoop",
        "contcoop λ=0.5",
        "cocoop",
        "promptsrc",
        "clip-adapter (ratio 0.2)",
    ];
    let datasets = [
        "imagenet",
        "caltech101",
        "oxford-pets",
        "stanford-cars",
        "flowers102",
        "food101",
        "fgvc-aircraft",
        "sun397",
        "dtd",
        "eurosat",
        "ucf101",
    ];
    drawn(&methods, &datasets.map(|name| (name, 2)), &[1, 2, 3], 50)
}

/// What pdflatex says of a document that reads a table for each report and option.
fn log_of(pdflatex: &Path, reports: &[Report], options: &[TableOptions]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut document = "\\documentclass[twocolumn]{article}\\usepackage{booktabs,siunitx,graphicx}\
                        \\setlength\\textwidth{455pt}\\setlength\\columnsep{17pt}\n\\begin{document}\n"
        .to_owned();
    let tables = reports
        .iter()
        .flat_map(|report| options.iter().map(move |one| latex(report, one)));
    for (at, table) in tables.enumerate() {
        std::fs::write(folder.path().join(format!("table{at}.tex")), table).unwrap();
        document += &format!("\\input{{table{at}.tex}}\\clearpage\n");
    }
    document += "\\end{document}\n";
    std::fs::write(folder.path().join("paper.tex"), document).unwrap();
    let output = Command::new(pdflatex)
        .args(["-interaction=nonstopmode", "-halt-on-error", "paper.tex"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{log}");
    assert!(folder.path().join("paper.pdf").is_file());
    log
}

#[test]
fn the_tables_compile_without_an_overfull_box() {
    let Some((pdflatex, finder)) = tool("pdflatex").zip(tool("kpsewhich")) else {
        return;
    };
    let found = Command::new(finder).arg("siunitx.sty").output().unwrap();
    if !found.status.success() {
        return skipped("siunitx.sty");
    }
    let transposed = |options: TableOptions| TableOptions {
        transpose: true,
        ..options
    };
    let all = TableOptions {
        metrics: Metric::ALL.to_vec(),
        digits: 1,
        ..narrow()
    };
    let resized = TableOptions {
        resize: true,
        ..TableOptions::default()
    };
    let options = [
        TableOptions::default(),
        narrow(),
        transposed(TableOptions::default()),
        transposed(narrow()),
        all,
        resized,
    ];
    let log = log_of(&pdflatex, &[hostile(), published()], &options);
    for complaint in ["Overfull", "Float too large", "siunitx Warning"] {
        assert!(!log.contains(complaint), "{log}");
    }
}

#[test]
fn metrics_digits_and_direction_are_the_readers() {
    let report = drawn(&["coop"], &[("a", 2)], &[1], 50);
    let options = TableOptions {
        metrics: vec![Metric::Retrained, Metric::OverZeroShot],
        digits: 1,
        ..TableOptions::default()
    };
    let text = latex(&report, &options);
    assert!(
        text.contains("& {retrained} & {\\shortstack[c]{New over\\\\zero-shot}}"),
        "{text}"
    );
    assert!(!text.contains("{Base}"), "{text}");
    assert!(text.contains(".1]") && !text.contains(".2]"), "{text}");
    let transposed = TableOptions {
        transpose: true,
        metrics: vec![Metric::New],
        ..TableOptions::default()
    };
    let text = latex(&report, &transposed);
    assert!(text.contains("& {zero-shot} & {coop} \\\\"), "{text}");
    assert!(text.contains("\na & "), "{text}");
}
