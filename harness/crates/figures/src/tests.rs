//! What is drawn, and the numbers beside it.

use harness_report::Report;
use harness_report::aggregate::blocks;

use crate::fixture;
use crate::{Figure, Format, Options, Style, Width, figures};

const OPTIONS: Options = Options {
    style: Style::Paper,
    width: Width::Page,
};

/// Three methods on two data sets with three seeds; names that no file name, XML or CSV holds.
fn report() -> Report {
    let methods = ["plain", "a & <b>, \"c\"\u{1b}[31m", "third"];
    let mut report = fixture::report(
        &methods,
        &["x,1", "ünï/../y"],
        &[1, 2, 3],
        |m, d, seed| {
            let new = 500 + 40 * m as u32 + 4 * seed as u32 + 60 * d as u32;
            Ok(([400, 600 - 30 * m as u32, 450, new], Some(700)))
        },
    );
    for cell in &mut report.cells {
        if let Some(training) = &mut cell.training {
            training.losses = vec![40.0, 3.0, 1.0 + cell.seed.training as f32 / 10.0];
        }
    }
    report
}

fn drawn(report: &Report, options: Options) -> Vec<Figure> {
    figures(report, options).unwrap().0
}

fn find<'f>(figures: &'f [Figure], start: &str) -> &'f Figure {
    let found = figures.iter().find(|figure| figure.name.starts_with(start));
    found.unwrap_or_else(|| panic!("no {start}"))
}

fn rows(figure: &Figure) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(figure.csv.as_bytes());
    let records = reader.records().map(|record| record.unwrap());
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn every_figure_of_a_report_is_drawn_the_same_each_time() {
    let report = report();
    let all = drawn(&report, OPTIONS);
    let kinds = [
        "methods",
        "base-new",
        "heat-map",
        "ranks",
        "recovery-by-depth",
        "learning-curves",
    ];
    for kind in kinds {
        let figure = find(&all, kind);
        for label in ["plain", "third", "a &amp; &lt;b&gt;, "] {
            assert!(figure.svg.contains(label), "{kind} does not name {label}");
        }
        assert!(!figure.svg.contains('\u{1b}'), "{kind}");
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        assert!(figure.name.chars().all(plain), "{}", figure.name);
    }
    assert_eq!(all.len(), kinds.len());
    assert_eq!(drawn(&report, OPTIONS), all);
}

#[test]
fn the_numbers_are_those_of_the_tables() {
    let report = report();
    let all = drawn(&report, OPTIONS);
    let blocks = blocks(&report);
    let summary = blocks[0].methods[1].summary.unwrap();
    let new = rows(find(&all, "methods"))
        .into_iter()
        .find(|row| row[0].starts_with("a & <b>") && row[2] == "new")
        .unwrap();
    assert_eq!(new[3], format!("{:.6}", summary.new.mean));
    let half = summary.new.half_width.unwrap();
    assert_eq!(new[4], format!("{:.6}", summary.new.mean - half));
    assert_eq!(&new[6..], ["3", "2"]);
    let gain = rows(find(&all, "heat-map"));
    let row = gain.iter().find(|row| row[0] == "plain" && row[1] == "x,1");
    let value: f64 = row.unwrap()[2].parse().unwrap();
    // 508 of 1000 images on average, where zero-shot has 450.
    assert!((value - 0.058).abs() < 1e-6, "{value}");
    let curve = rows(find(&all, "learning-curves"));
    let last = curve.iter().filter(|row| row[1] == "plain").nth(2).unwrap();
    assert_eq!(last[3..], ["1.200000", "1.100000", "1.300000", "3"]);
}

#[test]
fn intervals_are_drawn_where_there_are_some() {
    let with = report();
    let mut without = report();
    without.cells.retain(|cell| cell.seed.training == 1);
    let lines = |report: &Report, kind: &str| {
        let all = drawn(report, OPTIONS);
        find(&all, kind).svg.matches("<polyline").count()
    };
    for kind in ["methods", "base-new"] {
        assert!(lines(&with, kind) > lines(&without, kind), "{kind}");
    }
    let says = |report: &Report| {
        let all = drawn(report, OPTIONS);
        find(&all, "methods").svg.contains("95 % over seeds")
    };
    assert!(says(&with) && !says(&without));
}

#[test]
fn what_has_no_numbers_is_left_out_with_the_reason() {
    let mut report = report();
    for cell in &mut report.cells {
        cell.training = None;
        cell.conditions.oracle = None;
    }
    let (all, skipped) = figures(&report, OPTIONS).unwrap();
    assert_eq!(all.len(), 4);
    let reasons: Vec<&str> = skipped.iter().map(|one| one.why).collect();
    assert!(reasons[0].contains("retraining"), "{reasons:?}");
    assert!(reasons[1].contains("no losses"), "{reasons:?}");
    report.cells.clear();
    assert_eq!(figures(&report, OPTIONS).unwrap().0.len(), 0);
}

#[test]
fn a_figure_is_a_column_or_a_page_wide_in_every_format() {
    let report = report();
    for (width, points) in [(Width::Column, 241), (Width::Page, 504)] {
        for style in [Style::Paper, Style::Slide, Style::Dark] {
            let all = drawn(&report, Options { style, width });
            let svg = &find(&all, "methods").svg;
            assert!(svg.contains(&format!("width=\"{points}pt\"")), "{style:?}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let all = drawn(&report, OPTIONS);
    let heat = find(&all, "heat-map");
    let written = heat.write(folder.path(), &Format::ALL).unwrap();
    let bytes = |at: usize| std::fs::read(&written[at].path).unwrap();
    assert_eq!(written.len(), 4);
    assert_eq!(bytes(0), heat.svg.as_bytes());
    assert!(bytes(1).starts_with(b"%PDF-"));
    assert!(bytes(2).starts_with(b"\x89PNG"));
    assert_eq!(bytes(3), heat.csv.as_bytes());
}
