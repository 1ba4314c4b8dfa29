//! The gate on tables whose numbers are clear.

use crate::cell::{Cell, Status};
use crate::exit_code::ExitCode;
use crate::fixture::{self, gated as report, rule};
use crate::gate::*;
use crate::report::Report;

fn outcomes(judgement: &Judgement<'_>) -> Vec<Outcome> {
    judgement
        .comparisons
        .iter()
        .map(|one| one.outcome)
        .collect()
}

#[test]
fn the_same_report_is_unchanged() {
    let old = report([500, 500, 500], &[1]);
    let judgement = judge(&old, &old, rule(1.0), |_| true);
    assert_eq!(outcomes(&judgement), [Outcome::Unchanged; 6]);
    assert_eq!(judgement.exit_code(true), ExitCode::Ok);
}

#[test]
fn a_clear_loss_regresses_and_the_printed_margin_passes() {
    use Outcome::*;
    let (old, new) = (report([500, 500, 500], &[1]), report([440, 498, 500], &[1]));
    let judgement = judge(&new, &old, rule(1.0), |_| true);
    // In the report's order: a on x and y, b, c. Two images lost are within a point.
    assert_eq!(
        outcomes(&judgement),
        [
            Regressed, Unchanged, Passed, Unchanged, Unchanged, Unchanged
        ]
    );
    assert_eq!(judgement.exit_code(false), ExitCode::Regression);
    let margin = judgement.comparisons[0].smallest_margin.unwrap() * 100.0;
    assert!(margin > 6.0 && margin < 9.0, "{margin}");
    let wider = judge(&new, &old, rule(margin + 1e-9), |_| true);
    assert_eq!(wider.exit_code(true), ExitCode::Ok);
    let narrower = judge(&new, &old, rule(margin - 0.01), |_| true);
    assert_eq!(narrower.exit_code(false), ExitCode::Regression);
    // A gain is no loss.
    let turned = judge(&old, &new, rule(1.0), |_| true);
    assert_eq!(turned.exit_code(true), ExitCode::Ok);
    assert_eq!(turned.comparisons[0].outcome, Passed);
    assert_eq!(turned.comparisons[0].direction(), 1);
    assert_eq!(judgement.comparisons[0].direction(), -1);
}

#[test]
fn what_cannot_be_told_fails_only_a_strict_gate() {
    let (old, new) = (report([500, 500, 500], &[1]), report([497, 500, 500], &[1]));
    let judgement = judge(&new, &old, rule(0.4), |_| true);
    assert_eq!(judgement.comparisons[0].outcome, Outcome::Inconclusive);
    assert_eq!(judgement.exit_code(false), ExitCode::Ok);
    assert_eq!(judgement.exit_code(true), ExitCode::Inconclusive);
}

#[test]
fn more_cells_ask_for_more_evidence() {
    // Seven images lost and one gained: p = 0.035 alone, 0.07 of two such cells.
    let shift = |report: &mut Report, methods: usize| {
        for cell in report
            .cells
            .iter_mut()
            .filter(|c| c.dataset == "x")
            .take(methods)
        {
            let predictions = (0..1000).map(|i| u32::from(i < 493 || i == 700));
            let predictions: Vec<u32> = predictions.collect();
            cell.conditions.new =
                crate::condition::Condition::from_predictions(&predictions, &[1; 1000], "", 0.0)
                    .ok();
        }
    };
    let old = report([500, 500, 500], &[1]);
    let (mut one, mut three) = (old.clone(), old.clone());
    shift(&mut one, 1);
    shift(&mut three, 3);
    let regressed = |new: &Report| {
        let judgement = judge(new, &old, rule(0.5), |_| true);
        judgement.count(Outcome::Regressed)
    };
    assert_eq!(regressed(&one), 1);
    assert_eq!(regressed(&three), 0);
}

#[test]
fn a_cell_that_lost_its_number_is_no_pass() {
    let old = report([500, 500, 500], &[1, 2]);
    for (status, outcome, code) in [
        (
            Status::Failed {
                message: "NaN".into(),
            },
            Outcome::Broken,
            ExitCode::CrashedCell,
        ),
        (Status::NotRun, Outcome::Outstanding, ExitCode::Outstanding),
        (
            Status::NotInjectable {
                reason: "needs width 512".into(),
            },
            Outcome::Unfit,
            ExitCode::Regression,
        ),
    ] {
        let mut new = old.clone();
        new.cells[1].status = status;
        new.cells[1].conditions.new = None;
        let judgement = judge(&new, &old, rule(1.0), |_| true);
        assert_eq!(judgement.comparisons[0].outcome, outcome);
        assert_eq!(judgement.exit_code(false), code);
    }
}

#[test]
fn what_is_gone_altogether_is_one_line() {
    let old = report([500, 500, 500], &[1, 2]);
    let without = |gone: &dyn Fn(&crate::cell::Cell) -> bool| {
        let mut new = old.clone();
        new.cells.retain(|cell| !gone(cell));
        let found = mismatches(&new, &old, |_| true);
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let only = |what: &str| vec![format!("{what}: only in the baseline")];
    assert_eq!(without(&|cell| cell.dataset == "x"), only("data set \"x\""));
    assert_eq!(without(&|cell| cell.method == "b"), only("method \"b\""));
    assert_eq!(without(&|cell| cell.seed == 2.into()), only("seed 2"));
    let one = without(&|cell| cell.seed == 2.into() && cell.method == "b" && cell.dataset == "x");
    assert_eq!(one.len(), 1);
    assert!(one[0].starts_with("cells: b on x across "), "{one:?}");
}

#[test]
fn reports_of_other_things_are_named() {
    let old = report([500, 500, 500], &[1]);
    let place = |edit: &dyn Fn(&mut Report)| {
        let mut new = old.clone();
        edit(&mut new);
        let found = mismatches(&new, &old, |_| true);
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(place(&|_| {}).is_empty());
    for (edit, expected) in [
        (
            &|r: &mut Report| r.datasets[0].manifest_sha256 = "0".into(),
            "data set \"x\": different images, training labels or templates: sha256 dd → 0",
        ),
        (
            &|r: &mut Report| {
                r.datasets[0].manifest_sha256 = "0".into();
                r.datasets[0].test = 900;
                r.datasets[0].class_names[1] = "cube".into();
            },
            "data set \"x\": different test images 1000 → 900, class name \"square\" → \"cube\"; sha256 dd → 0",
        ),
        (
            &|r: &mut Report| r.backbones[1].sha256 = "0".into(),
            "backbone \"micro-eva-clip\": different files: sha256 bb → 0",
        ),
        (
            &|r: &mut Report| r.methods[0].config = serde_json::json!({"context": 8}),
            "method \"a\": different id, configuration or module file",
        ),
        (
            &|r: &mut Report| {
                let training = r.cells[0].training.as_mut().unwrap();
                training.recipe = serde_json::json!({"optimiser": "adam"});
            },
            "method \"a\": different recipe",
        ),
        (
            &|r: &mut Report| drop(r.cells.remove(0)),
            "cells: a on x across micro-clip → micro-eva-clip with 16 shots and seed 1 is only \
             in the baseline",
        ),
    ] as [(&dyn Fn(&mut Report), &str); 6]
    {
        let found = place(edit);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(expected), "{found:?}");
    }
    // Plugins are what a gate judges; seconds are nobody's business.
    assert!(place(&|r| r.plugins[0].sha256 = "0".into()).is_empty());
    assert!(place(&|r| r.suite.sha256 = "0".into()).is_empty());
}

#[test]
fn another_precision_is_no_pass() {
    let old = report([500, 500, 500], &[1]);
    let mut new = old.clone();
    new.provenance.device = Some(crate::ComputeDevice {
        kind: "cuda".into(),
        name: "H100".into(),
        count: 1,
        precision: "bf16".into(),
        candle: "0.11.1".into(),
    });
    let found = mismatches(&new, &old, |_| true);
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        ["device: the baseline was computed on the CPU, the report on cuda in bf16"]
    );
    assert!(mismatches(&new, &new, |_| true).is_empty());
}

#[test]
fn other_images_are_not_paired() {
    let old = report([500, 500, 500], &[1]);
    let mut new = report([440, 500, 500], &[1]);
    new.datasets[0].manifest_sha256 = "0".into();
    let judgement = judge(&new, &old, rule(1.0), |_| true);
    assert_eq!(judgement.comparisons[0].outcome, Outcome::OtherData);
    assert_eq!(judgement.comparisons[0].difference, None);
}

#[test]
fn what_is_accepted_takes_the_place_of_what_was() {
    let old = report([500, 500, 500], &[1]);
    let mut new = report([440, 450, 500], &[1]);
    for cell in &mut new.cells {
        cell.usage = None;
    }
    // Everything: but what did not change stays as it was.
    let all = accept(&new, Some(&old), None).unwrap();
    let changed = |accepted: &Report| {
        let cells = accepted
            .cells
            .iter()
            .filter(|cell| !old.cells.contains(cell));
        cells.map(|cell| cell.method.clone()).collect::<Vec<_>>()
    };
    assert_eq!(changed(&all), ["a", "b"]);
    assert_eq!(
        judge(&new, &all, rule(1.0), |_| true).exit_code(true),
        ExitCode::Ok
    );
    // One method alone.
    let wanted = |cell: &Cell| cell.method == "b";
    let some = accept(&new, Some(&old), Some(&wanted)).unwrap();
    assert_eq!(changed(&some), ["b"]);
    assert_eq!(some.lint(), []);
    assert_eq!(some.cells.len(), old.cells.len());
    // Without a baseline the report is it.
    assert_eq!(accept(&new, None, None).unwrap(), new);
}

#[test]
fn what_is_no_result_is_not_accepted() {
    let old = report([500, 500, 500], &[1]);
    let mut broken = old.clone();
    broken.cells[0].status = Status::NotRun;
    let message = accept(&broken, Some(&old), None).unwrap_err().to_string();
    assert!(
        message.contains("1 of the selected cells have no result"),
        "{message}"
    );
    let wanted = |cell: &Cell| cell.method == "b";
    assert!(accept(&broken, Some(&old), Some(&wanted)).is_ok());
    let nothing = |_: &Cell| false;
    assert!(matches!(
        accept(&old, Some(&old), Some(&nothing)),
        Err(AcceptError::Nothing)
    ));
    let mut other = old.clone();
    other.backbones[0].sha256 = "0".into();
    let message = accept(&other, Some(&old), Some(&wanted))
        .unwrap_err()
        .to_string();
    assert!(message.contains("backbone \"micro-clip\""), "{message}");
    assert!(accept(&other, Some(&old), None).is_ok());
}

#[test]
fn trainings_on_a_split_are_one_replicate_of_it() {
    let seeds = ["1", "1/2", "2/1", "2"].map(|text| text.parse().unwrap());
    let of = |lost: u32| {
        let mut report = fixture::crossed(&["a"], &["x"], &seeds, |_, _, seeds| {
            let new = 500 - lost * (seeds.split + seeds.training) as u32;
            Ok(([400, 600, 450, new], None))
        });
        for cell in &mut report.cells {
            cell.rerun = format!("harness run s.yaml --only seed={} --fresh", cell.seed);
        }
        report
    };
    let (old, new) = (of(0), of(10));
    let found = judge(&new, &old, rule(1.0), |_| true);
    let one = &found.comparisons[0];
    let difference = one.difference.as_ref().unwrap();
    let means: Vec<f64> = difference.means.iter().map(|m| (m * 1e6).round()).collect();
    assert_eq!(means, [-25_000.0, -35_000.0]);
    assert_eq!((one.before, difference.pairs().count()), (0.5, 4));
    assert!(!one.is_one_split());
    assert_eq!(
        one.rerun,
        "harness run s.yaml --only seed=1,1/2,2/1,2 --fresh"
    );
}
