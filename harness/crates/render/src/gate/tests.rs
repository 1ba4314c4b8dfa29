//! What a gate prints, on tables whose numbers are clear.

use harness_report::gate::{Judgement, judge};

use super::{Commands, STEP_SUMMARY_LIMIT, annotations, render, render_difference, step_summary};
use crate::fixture::{self, gated as report, rule};
use crate::terminal::Style;

const PLAIN: Style = Style {
    colour: false,
    width: None,
};

const COMMANDS: Commands<'_> = Commands {
    report: Some("new.json"),
    baseline: "reports/s.json",
};

#[test]
fn a_strict_gate_says_what_is_inconclusive() {
    let (old, new) = (report([500, 500, 500], &[1]), report([497, 500, 500], &[1]));
    let judgement = judge(&new, &old, rule(0.4), |_| true);
    let text = render(&judgement, &COMMANDS, true, &PLAIN);
    assert!(
        text.contains("1 of 6 cells are inconclusive (margin 0.40 points)"),
        "{text}"
    );
    assert!(text.ends_with("exit=102\n"), "{text}");
}

#[test]
fn other_images_are_said_in_every_output() {
    let old = report([500, 500, 500], &[1]);
    let mut new = report([440, 500, 500], &[1]);
    new.datasets[0].manifest_sha256 = "0".into();
    let judgement = judge(&new, &old, rule(1.0), |_| true);
    let warning = "warning: the inputs of the two reports differ";
    let text = render(&judgement, &COMMANDS, false, &PLAIN);
    assert!(text.contains(warning), "{text}");
    let text = render_difference(&judgement, &PLAIN);
    assert!(text.contains(warning), "{text}");
    let text = step_summary(&judgement, false, STEP_SUMMARY_LIMIT);
    assert!(text.contains("inputs of the two reports differ"), "{text}");
}

#[test]
fn a_failing_cell_says_what_to_do() {
    let mut old = report([500, 500, 500], &[1, 2]);
    let mut new = report([440, 500, 500], &[1, 2]);
    for cell in old.cells.iter_mut().chain(&mut new.cells) {
        if cell.method == "a" {
            cell.method = "it's a".into();
        }
    }
    old.methods[0].label = "it's a".into();
    new.methods[0].label = "it's a".into();
    let judgement = judge(&new, &old, rule(1.0), |_| true);
    insta::assert_snapshot!(render(&judgement, &COMMANDS, false, &PLAIN));
    insta::assert_snapshot!(
        "step_summary",
        step_summary(&judgement, false, STEP_SUMMARY_LIMIT)
    );
    insta::assert_snapshot!("annotations", annotations(&judgement));
    insta::assert_snapshot!("difference", render_difference(&judgement, &PLAIN));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let (old, new) = (report([500, 500, 500], &[1]), report([440, 520, 500], &[1]));
    let judgement = judge(&new, &old, rule(1.0), |_| true);
    let coloured = Style {
        colour: true,
        width: None,
    };
    for draw in [
        |j: &Judgement<'_>, s: &Style| render(j, &COMMANDS, false, s),
        render_difference,
    ] {
        let (plain, painted) = (draw(&judgement, &PLAIN), draw(&judgement, &coloured));
        assert!(!plain.contains('\u{1b}') && painted.contains('\u{1b}'));
        let mut stripped = String::new();
        for part in painted.split('\u{1b}') {
            match part.strip_prefix('[').and_then(|rest| rest.split_once('m')) {
                Some((_, rest)) => stripped.push_str(rest),
                None => stripped.push_str(part),
            }
        }
        assert_eq!(stripped, plain);
    }
}

#[test]
fn a_full_step_summary_is_cut_between_rows() {
    let names: Vec<String> = (0..40).map(|n| format!("set-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let make = |new| {
        fixture::report(&["<b>|`m`"], &names, &[1], |_, d, _| {
            Ok(([400, 600, 450, if d == 39 { new } else { 500 }], None))
        })
    };
    let (old, new) = (make(500), make(300));
    let judgement = judge(&new, &old, rule(1.0), |_| true);
    for limit in [STEP_SUMMARY_LIMIT, 3000, 1500] {
        let text = step_summary(&judgement, false, limit);
        assert!(text.len() <= limit);
        // The cell that fails is there whatever is left out.
        assert!(text.contains("set-39"), "{limit}");
        assert_eq!(text.contains("more cells are left out"), limit < 5000);
        let rows = text.lines().filter(|line| line.starts_with("| "));
        for row in rows {
            assert_eq!(row.matches('|').count(), 7, "{row}");
            assert!(!row.contains('<') && !row.contains('`'), "{row}");
        }
    }
}

#[test]
fn an_annotation_stays_on_its_line() {
    let mut old = report([500, 500, 500], &[1]);
    let mut new = report([400, 500, 500], &[1]);
    for report in [&mut old, &mut new] {
        report.suite.path = "a,b:c\n::error::x.yaml".into();
        report.datasets[0].name = "50%\n::warning::y".into();
        for cell in report.cells.iter_mut().filter(|cell| cell.dataset == "x") {
            cell.dataset = "50%\n::warning::y".into();
        }
    }
    let text = annotations(&judge(&new, &old, rule(1.0), |_| true));
    assert_eq!(text.lines().count(), 1, "{text}");
    let title = "::error file=a%2Cb%3Ac %3A%3Aerror%3A%3Ax.yaml,title=harness gate regressed::";
    assert!(text.starts_with(title), "{text}");
    assert!(text.contains("50%25 ::warning::y"), "{text}");
}
