//! The tables as a reader sees them.

use unicode_width::UnicodeWidthStr;

use crate::fixture;
use crate::terminal::{Style, render};
use harness_report::Report;
use harness_report::Status;

const PLAIN: Style = Style {
    colour: false,
    width: None,
};
const NARROW: Style = Style {
    colour: false,
    width: Some(80),
};

const DATASETS: [&str; 4] = ["shapes", "colours", "textures", "emoji-high-contrast"];

/// Two methods on four data sets, everything measured.
fn whole(seeds: &[u64]) -> Report {
    fixture::report(&["coop", "kgcoop"], &DATASETS, seeds, |m, d, seed| {
        let (d, seed) = (d as u32, seed as u32);
        let (zero_source, zero_target) = (400 + 20 * d, 450 + 10 * d);
        let base = zero_source + 100 + 7 * seed;
        let new = zero_target + [0, 80][m] + 3 * seed * d - 20;
        Ok((
            [zero_source, base, zero_target, new],
            Some(zero_target + 120 + seed),
        ))
    })
}

/// One of each way to give no number.
fn holes() -> Report {
    let methods = ["coop", "maple", "contcoop"];
    let mut report = fixture::report(&methods, &DATASETS, &[1, 2, 3], |m, d, seed| {
        let trouble = match (m, d, seed) {
            (0, 1, 2) => Status::Crashed {
                message: "worker ended by signal 11".into(),
                log: "…".into(),
            },
            (0, 2, _) => Status::TimedOut {
                seconds: 30.0,
                log: String::new(),
            },
            (1, ..) => Status::NotInjectable {
                reason: "needs text width 512, micro-eva-clip has 128".into(),
            },
            (2, 3, 1) => Status::Failed {
                message: "loss is NaN at step 4".into(),
            },
            (2, 3, _) => Status::NotRun,
            _ => {
                let new = 530 + 5 * seed as u32;
                return Ok(([400, 500 + seed as u32, 500, new], None));
            }
        };
        Err(trouble)
    });
    report.sort_cells();
    report
}

#[test]
fn one_seed() {
    insta::assert_snapshot!(render(&whole(&[1]), &PLAIN));
}

#[test]
fn three_seeds() {
    insta::assert_snapshot!(render(&whole(&[1, 2, 3]), &PLAIN));
}

#[test]
fn three_seeds_in_eighty_columns() {
    insta::assert_snapshot!(render(&whole(&[1, 2, 3]), &NARROW));
}

#[test]
fn missing_cells() {
    insta::assert_snapshot!(render(&holes(), &PLAIN));
}

#[test]
fn missing_cells_in_eighty_columns() {
    insta::assert_snapshot!(render(&holes(), &NARROW));
}

#[test]
fn colour() {
    let style = Style {
        colour: true,
        width: Some(80),
    };
    let text = render(&holes(), &style);
    // Escapes as text, so that the snapshot can be read.
    insta::assert_snapshot!(text.replace('\u{1b}', "ESC"));
}

#[test]
fn colour_adds_nothing_but_colour() {
    for report in [whole(&[1, 2, 3]), holes()] {
        for width in [None, Some(80), Some(40)] {
            let coloured = render(
                &report,
                &Style {
                    colour: true,
                    width,
                },
            );
            let plain = render(
                &report,
                &Style {
                    colour: false,
                    width,
                },
            );
            assert_ne!(coloured, plain);
            assert_eq!(strip(&coloured), plain);
            assert!(!plain.contains('\u{1b}'));
        }
    }
}

#[test]
fn many_data_sets_fit_whatever_width_is_asked_for() {
    let names: Vec<String> = (0..15)
        .map(|n| format!("long-picture-set-{n}x{n}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let label = "a-method-with-a-name-that-does-not-end-soon";
    let report = fixture::report(&[label, "b"], &names, &[1, 2], |_, d, seed| match d {
        7 => Err(Status::Failed {
            message: "word ".repeat(40),
        }),
        _ => Ok(([300, 400 + seed as u32, 350, 340 + d as u32], Some(500))),
    });
    for width in [60, 80, 100, 132, 200] {
        let text = render(
            &report,
            &Style {
                colour: false,
                width: Some(width),
            },
        );
        // The last line is for machines, a command is for copying: neither is broken.
        let lines = text
            .lines()
            .filter(|l| !l.contains("rerun: ") && !l.starts_with("Summary "));
        for line in lines {
            assert!(line.width() <= width, "{} > {width}: {line}", line.width());
        }
        for n in 0..15 {
            assert!(
                text.contains(&format!("{n}x{n} ")),
                "column {n} is lost at {width}"
            );
        }
    }
}

#[test]
fn the_mean_stands_in_the_first_of_several_tables() {
    let style = Style {
        colour: false,
        width: Some(50),
    };
    let text = render(&whole(&[1]), &style);
    let (_, matrix) = text.split_once("New (target), in percent").unwrap();
    let (first, _) = matrix.split_once('└').unwrap();
    assert!(
        first.contains("shapes") && first.contains("mean") && !first.contains("emoji"),
        "{first}"
    );
}

#[test]
fn hostile_names_cannot_leave_their_place() {
    let mut report = fixture::report(
        &["\u{1b}[2Jwipe\r\nSummary ok=99", "right\u{202e}left"],
        &["two\nlines", &"x".repeat(5000)],
        &[1],
        |m, _, _| match m {
            0 => Ok(([300, 400, 350, 360], None)),
            _ => Err(Status::Failed {
                message: "\u{1b}]0;title\u{7}\nSummary ok=7".into(),
            }),
        },
    );
    for cell in &mut report.cells {
        cell.rerun = "harness run a.yaml\n\u{1b}[31mrm".into();
    }
    for style in [PLAIN, NARROW] {
        let text = render(&report, &style);
        let hostile = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(hostile), "{text}");
        let summaries = text
            .lines()
            .filter(|line| line.starts_with("Summary"))
            .count();
        assert_eq!(summaries, 1, "{text}");
        assert!(
            text.lines().all(|line| line.width() <= 400),
            "a name was not cut"
        );
    }
}

#[test]
fn the_last_line_counts_every_cell() {
    let text = render(&holes(), &PLAIN);
    assert_eq!(
        text.lines().last().unwrap(),
        "Summary ok=17 not-injectable=12 failed=1 crashed=1 timed-out=3 not-run=2 wall=61.2s"
    );
}

#[test]
fn a_report_without_cells_is_only_its_last_line() {
    let report = fixture::report(&[], &[], &[], |_, _, _| Err(Status::NotRun));
    assert_eq!(render(&report, &PLAIN).lines().count(), 1);
}

/// The text without `ESC [ … m`.
fn strip(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain + rest
}
