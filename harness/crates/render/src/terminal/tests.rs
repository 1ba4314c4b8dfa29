//! The tables as a reader sees them.

use unicode_width::UnicodeWidthStr;

use crate::fixture;
use crate::terminal::{Style, render, render_chains, render_details};
use harness_report::Status;
use harness_report::{Chain, Report, Upgrade};

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
    insta::assert_snapshot!(render_details(&whole(&[1]), &PLAIN));
}

#[test]
fn three_seeds() {
    insta::assert_snapshot!(render_details(&whole(&[1, 2, 3]), &PLAIN));
}

#[test]
fn three_seeds_in_eighty_columns() {
    insta::assert_snapshot!(render_details(&whole(&[1, 2, 3]), &NARROW));
}

#[test]
fn missing_cells() {
    insta::assert_snapshot!(render_details(&holes(), &PLAIN));
}

#[test]
fn missing_cells_in_eighty_columns() {
    insta::assert_snapshot!(render_details(&holes(), &NARROW));
}

#[test]
fn colour() {
    let style = Style {
        colour: true,
        width: Some(80),
    };
    let text = render_details(&holes(), &style);
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

/// The same methods along a chain, of which the fixture's upgrade is the first step.
fn chained() -> Report {
    let mut report = whole(&[1, 2, 3]);
    let Upgrade { source, target } = report.upgrades[0].clone();
    let later = "micro-next".to_owned();
    let cells = report.cells.clone();
    for from in [&source, &target] {
        let upgrade = Upgrade {
            source: from.clone(),
            target: later.clone(),
        };
        report.cells.extend(cells.iter().cloned().map(|mut cell| {
            cell.upgrade = upgrade.clone();
            if let (true, Some(zero)) = (*from == source, fixture::scored(300)) {
                cell.conditions.new = Some(zero);
            }
            cell
        }));
        report.upgrades.push(upgrade);
    }
    report.chains = vec![Chain {
        backbones: vec![source, target, later],
    }];
    report
}

#[test]
fn a_chain_shows_gains_and_steps_and_names_the_loss() {
    let report = chained();
    let brief = render(&report, &PLAIN);
    let details = render_details(&report, &PLAIN);
    for text in [&brief, &details] {
        assert!(
            text.contains("micro-clip → micro-eva-clip → micro-next, 16 shots"),
            "{text}"
        );
        assert!(
            text.contains("micro-eva-clip → micro-next: 16 of 16 modules lost gain"),
            "{text}"
        );
        assert!(
            text.contains("trained on micro-eva-clip, moved to micro-next: 4 of 8 modules help")
        );
        assert!(text.contains("Means over data sets"), "{text}");
    }
    let rows = |text: &str| {
        let rows = text
            .lines()
            .filter(|line| line.contains(" emoji-high-contrast ┆ micro"));
        rows.count()
    };
    // Rows of single data sets are for those who ask.
    assert_eq!(rows(&brief), 0, "{brief}");
    assert!(
        details.matches("┆ micro-eva-clip ┆").count() > brief.matches("┆ micro-eva-clip ┆").count()
    );
    for width in [60, 80, 100, 132] {
        let style = Style {
            colour: false,
            width: Some(width),
        };
        let text = render_chains(&report, &style);
        for line in text.lines() {
            assert!(line.width() <= width, "{} > {width}: {line}", line.width());
        }
        assert!(text.contains("▼"), "{text}");
    }
}

#[test]
fn an_upgrade_fits_a_screen() {
    let style = Style {
        colour: false,
        width: Some(100),
    };
    let names = ["shapes", "digits", "object-colours-blurred", "positions"];
    let methods: Vec<String> = (0..14).map(|n| format!("method-{n}")).collect();
    let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
    let report = fixture::report(&methods, &names, &[1, 2, 3], |m, d, seed| {
        let (m, d, seed) = (m as u32, d as u32, seed as u32);
        Ok((
            [400, 500 + m, 450, 440 + 10 * m + 3 * d + seed],
            Some(560 + seed),
        ))
    });
    let text = render(&report, &style);
    assert!(text.lines().count() <= 40, "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_missing_is_said_in_brief() {
    insta::assert_snapshot!(render(&holes(), &NARROW));
}

#[test]
fn several_upgrades_end_with_a_line_each() {
    let mut report = whole(&[1, 2, 3]);
    let mut second = report.upgrades[0].clone();
    second.target = "other".to_owned();
    let mut cells = report.cells.clone();
    for cell in &mut cells {
        cell.upgrade = second.clone();
    }
    report.upgrades.push(second);
    report.cells.extend(cells);
    for text in [render(&report, &PLAIN), render_details(&report, &PLAIN)] {
        let end: Vec<&str> = text.lines().rev().take(4).collect();
        assert!(end[0].starts_with("Summary "), "{text}");
        assert!(end[2].contains("→ other, 16 shots: "), "{text}");
        assert!(
            !end[3].contains("→ other") && end[3].contains(" of 8 modules"),
            "{text}"
        );
    }
}

#[test]
fn a_narrow_table_is_swapped_and_then_loses_columns_that_it_names() {
    let narrow = |width| Style {
        colour: false,
        width: Some(width),
    };
    let datasets: Vec<String> = (0..9).map(|n| format!("set-{n}")).collect();
    let datasets: Vec<&str> = datasets.iter().map(String::as_str).collect();
    let table = |methods: &[&str], width| {
        let report = fixture::report(methods, &datasets, &[1], |_, _, _| {
            Ok(([300, 400, 350, 360], None))
        });
        let text = render(&report, &narrow(width));
        let (_, table) = text.split_once("points\n").unwrap();
        table.split_once("\n\n").unwrap().0.to_owned()
    };
    let swapped = table(&["coop", "kgcoop"], 50);
    assert!(swapped.contains("│ set-8"), "{swapped}");
    assert!(!swapped.contains("no room"), "{swapped}");
    let methods = ["a-one", "b-two", "c-three", "d-four", "e-five", "f-six"];
    let cut = table(&methods, 50);
    assert!(cut.contains("mean") && cut.contains("│ set-8"), "{cut}");
    assert!(cut.contains("no room for e-five, f-six"), "{cut}");
    assert_eq!(cut.matches('┌').count(), 1, "{cut}");
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
