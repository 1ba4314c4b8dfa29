//! What every exporter has to hold: hostile names stay text, a failure harms nothing.

use std::path::Path;

use crate::export::sample::{drawn, hostile};
use crate::export::{
    Format, TableOptions, export, export_comparison, html, junit, latex, markdown,
};
use crate::fixture;
use harness_report::Report;

/// `report` in the format of `ending`.
fn exported(report: &Report, ending: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("report{ending}"));
    export(report, &TableOptions::default(), &path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn hostile_names_stay_text_in_every_format() {
    let report = hostile();
    type Check = fn(&str);
    let checks: [(&str, Check); 8] = [
        (".json", |text| {
            let back: Report = serde_json::from_str(text).unwrap();
            assert!(back.digest.is_some());
            let digest = back.digest.clone();
            assert_eq!(
                back,
                Report {
                    digest,
                    ..hostile()
                }
            );
        }),
        (".csv", no_formula),
        (".summary.csv", no_formula),
        (".classes.csv", no_formula),
        (".md", only_text_in_markdown),
        (".tex", |text| {
            assert!(!text.contains("\\input{"), "a command came through");
            assert!(
                text.is_ascii() || !text.contains('日'),
                "a letter that TeX lacks"
            );
            assert!(text.contains("\\textbackslash{}input\\{/etc/passwd\\} \\$x"));
        }),
        (".xml", |text| {
            assert!(!text.contains("<script"), "a tag came through");
            assert!(!text.contains("]]>"), "the end of a section came through");
            assert!(text.contains("]]&gt;&amp;amp;&lt;![CDATA["));
        }),
        (".html", |text| {
            assert_eq!(text.matches("<script").count(), 2, "the page's own");
            assert_eq!(text.matches("</script").count(), 2, "the page's own");
            assert!(!text.contains("<img") && !text.contains("\" onmouseover=\""));
            assert!(
                text.contains("{{ 7*7 }}"),
                "a name was taken for a template"
            );
        }),
    ];
    assert_eq!(checks.len(), Format::ENDINGS.len());
    for (ending, check) in checks {
        let text = exported(&report, ending);
        if ending != ".json" {
            let controls =
                |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2028}".contains(c);
            let found = text.chars().find(|c| controls(*c));
            assert_eq!(found, None, "{ending}: a control character came through");
        }
        check(&text);
    }
    // The same beside an older report.
    only_text_in_markdown(&compared(&report, &report, ".md"));
    let page = compared(&report, &report, ".html");
    assert_eq!(page.matches("<script").count(), 2, "the page's own");
    assert!(!page.contains("<img") && !page.contains("\" onmouseover=\""));
}

/// `report` beside `old` in the format of `ending`.
fn compared(report: &Report, old: &Report, ending: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("report{ending}"));
    export_comparison(report, old, &path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn what_differs_from_an_older_report_is_shown_and_what_is_of_other_data_said() {
    let draw = || {
        drawn(
            &["coop", "kgcoop"],
            &[("shapes", 3), ("colours", 2)],
            &[1, 2],
            100,
        )
    };
    let old = draw();
    let mut report = draw();
    for cell in &mut report.cells[..2] {
        // As bad as the source's zero-shot.
        cell.conditions.new = cell.conditions.zero_source.clone();
    }
    report.datasets[1].manifest_sha256 = "other".to_owned();
    let before = old.cells[..2]
        .iter()
        .map(|cell| cell.conditions.new.as_ref().unwrap().accuracy);
    let before = before.sum::<f64>() * 50.0;
    let after = report.cells[0].conditions.new.as_ref().unwrap().accuracy * 100.0;
    for ending in [".md", ".html"] {
        let text = compared(&report, &old, ending);
        assert!(
            text.contains(&format!("{before:.2} → {after:.2}")),
            "{ending}"
        );
        assert!(
            text.contains("Compared with quickstart of 2026"),
            "{ending}"
        );
        assert!(
            text.contains("different images, training labels or templates"),
            "{ending}"
        );
        assert!(text.contains("unchanged"), "{ending}");
    }
    let error = export_comparison(&report, &old, Path::new("r.csv")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("r.csv: comparisons can be written as .html and .md")
    );
}

/// Every field that a spreadsheet might compute is a number.
fn no_formula(text: &str) {
    let mut rows = 0;
    for record in csv::Reader::from_reader(text.as_bytes()).records() {
        rows += 1;
        for field in record.unwrap().iter() {
            let is_formula = field.starts_with(['=', '+', '-', '@']);
            assert!(!is_formula || field.parse::<f64>().is_ok(), "{field}");
        }
    }
    assert!(rows > 100, "{rows}");
    assert!(
        text.contains("'=cmd|"),
        "the name is kept behind an apostrophe"
    );
}

fn only_text_in_markdown(text: &str) {
    assert!(!text.contains("<script") && !text.contains("@everyone") && !text.contains("#1 "));
    assert!(!text.contains("https://") && !text.contains("www."));
    let mut columns = 0;
    for line in text.lines() {
        match line.starts_with('|') {
            true if columns == 0 => columns = line.matches('|').count(),
            true => assert_eq!(line.matches('|').count(), columns, "{line}"),
            false => columns = 0,
        }
    }
}

#[test]
fn a_file_that_cannot_be_written_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let report = drawn(&["coop"], &[("shapes", 2)], &[1], 10);
    for (ending, _) in Format::ENDINGS {
        let missing = folder.path().join(format!("no-folder/report{ending}"));
        let message = export(&report, &TableOptions::default(), &missing)
            .unwrap_err()
            .to_string();
        assert!(message.contains("no-folder/report"), "{message}");

        let path = folder.path().join(format!("report{ending}"));
        std::fs::write(&path, "what was there before").unwrap();
        let mut broken = report.clone();
        broken.cells[0].usage.as_mut().unwrap().wall_seconds = f64::NAN;
        let message = export(&broken, &TableOptions::default(), &path)
            .unwrap_err()
            .to_string();
        assert!(message.contains("wall_seconds is NaN"), "{message}");
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "what was there before"
        );

        export(&report, &TableOptions::default(), &path).unwrap();
        assert_ne!(
            std::fs::read_to_string(&path).unwrap(),
            "what was there before"
        );
    }
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(
        files,
        Format::ENDINGS.len(),
        "a temporary file was left behind"
    );
    let message = export(&report, &TableOptions::default(), Path::new("report.pdf"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("report.pdf: unknown file extension"),
        "{message}"
    );
}

#[test]
fn a_report_of_nothing_has_every_format() {
    let report = fixture::report(&[], &[], &[], |_, _, _| Err(harness_report::Status::NotRun));
    assert!(markdown::markdown(&report, None).contains("Provenance"));
    assert!(latex::latex(&report, &TableOptions::default()).starts_with("% quickstart"));
    assert!(junit::junit(&report).unwrap().contains("<testsuites"));
    assert!(html::html(&report, None).unwrap().contains("Provenance"));
    for ending in [".csv", ".summary.csv", ".classes.csv"] {
        assert_eq!(exported(&report, ending).lines().count(), 1, "{ending}");
    }
}

#[test]
fn tables_of_text_are_as_committed() {
    let report = drawn(
        &["coop", "kgcoop"],
        &[("shapes", 3), ("colours", 2)],
        &[1, 2],
        100,
    );
    for ending in [
        ".csv",
        ".summary.csv",
        ".classes.csv",
        ".md",
        ".tex",
        ".xml",
    ] {
        insta::assert_snapshot!(format!("table{ending}"), exported(&report, ending));
    }
}

#[test]
fn notes_on_the_inputs_are_on_every_page() {
    let note = "d on b: prompts of 2 classes are cut to the context of 77 tokens";
    let report = Report {
        input_notes: vec![note.to_owned()],
        ..fixture::report(&[], &[], &[], |_, _, _| Err(harness_report::Status::NotRun))
    };
    for format in [".md", ".html"] {
        let page = exported(&report, format).replace("&#58;", ":");
        assert!(page.contains(note), "{format}");
    }
}
