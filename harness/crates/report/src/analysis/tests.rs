//! Verdicts and what follows from them, on tables whose numbers are clear.

use crate::analysis::{Assessment, Claim, Deciding, Recommendation, Verdict, analyse};
use crate::cell::{Retraining, Status};
use crate::fixture;
use crate::report::{GateRule, Report};

/// One method on one data set of 1000 images, the counts of Z(s), Base, Z(t), New and
/// A(t→t) by seed. The first so many images are right.
fn one(seeds: &[[u32; 5]]) -> Report {
    let numbers: Vec<u64> = (1..=seeds.len() as u64).collect();
    fixture::report(&["m"], &["a"], &numbers, |_, _, seed| {
        let [zero_source, base, zero_target, new, oracle] = seeds[seed as usize - 1];
        Ok(([zero_source, base, zero_target, new], Some(oracle)))
    })
}

fn verdict(report: &Report) -> (Verdict, Recommendation, String, String) {
    let analysis = analyse(report);
    let [one] = &*analysis.assessments else {
        panic!("one assessment")
    };
    (
        one.verdict.unwrap(),
        one.recommendation,
        one.reason.clone(),
        one.advice.clone(),
    )
}

#[test]
fn verdicts_are_of_the_gain_and_recommendations_of_the_target() {
    use Recommendation::{Drop, Keep, Retrain, RetrainKeepMeanwhile, UndecidedKeepMeanwhile};
    use Verdict::{Compatible, Degraded, Incompatible, NoGain};
    for (counts, expected) in [
        (
            [400, 500, 500, 640, 645],
            (Compatible, UndecidedKeepMeanwhile),
        ),
        ([400, 500, 500, 640, 636], (Compatible, Keep)),
        // A better backbone does not make a module worth keeping.
        ([400, 600, 700, 650, 701], (Incompatible, Drop)),
        ([400, 600, 700, 650, 760], (Incompatible, Retrain)),
        ([400, 700, 500, 600, 680], (Degraded, RetrainKeepMeanwhile)),
        ([400, 700, 500, 600, 601], (Compatible, Keep)),
        // At the ceiling there is less to gain, and all of it is there.
        ([400, 1000, 900, 1000, 1000], (Compatible, Keep)),
        ([400, 400, 500, 600, 600], (NoGain, Keep)),
    ] {
        let (verdict, recommendation, reason, _) = verdict(&one(&[counts]));
        assert_eq!((verdict, recommendation), expected, "{counts:?}: {reason}");
    }
}

#[test]
fn the_sentences_have_the_numbers() {
    let (_, _, reason, advice) = verdict(&one(&[[400, 700, 500, 600, 680]]));
    assert!(
        reason.starts_with(
            "+30.00 points over zero-shot on the source, +10.00 on the target, a change of -20.00 ["
        ),
        "{reason}"
    );
    assert!(reason.contains("; recovery 56 % ["), "{reason}");
    assert!(advice.starts_with("retraining gains +8.00 ["), "{advice}");
    assert!(
        advice
            .ends_with("for training that took 1.5 s on the source (these modules only: one seed)"),
        "{advice}"
    );
    let mut report = one(&[[400, 600, 700, 650, 760]]);
    report.cells[0].retraining = Some(Retraining {
        steps: 50,
        seconds: 2.25,
    });
    let (_, _, _, advice) = verdict(&report);
    assert!(advice.contains(", for 2.2 s of training"), "{advice}");
}

#[test]
fn a_gain_below_the_margin_is_a_gain() {
    let report = fixture::report(&["m"], &["a"], &[1], |_, _, _| {
        Ok(([400, 600, 500, 508], Some(508)))
    });
    let mut report = report;
    report.suite.gate = Some(GateRule {
        margin: 5.0,
        alpha: 0.05,
    });
    let (_, recommendation, _, advice) = verdict(&report);
    assert_eq!(recommendation, Recommendation::Keep);
    assert!(advice.contains("less than 5.00 points"), "{advice}");
}

#[test]
fn an_open_claim_says_what_would_decide() {
    let mut report = one(&[[400, 600, 500, 503, 503]]);
    report.suite.gate = Some(GateRule {
        margin: 0.5,
        alpha: 0.05,
    });
    let analysis = analyse(&report);
    let found = &analysis.assessments[0];
    assert_eq!(found.recommendation, Recommendation::Undecided);
    let Some(Deciding::Either {
        images: Some(images),
        seeds: None,
    }) = found.deciding
    else {
        panic!("{:?}", found.deciding)
    };
    assert!(images > 1000, "{images}");
    assert!(
        found
            .advice
            .contains(&format!("about {images} test images would decide")),
        "{}",
        found.advice
    );
    // Seeds that scatter need more seeds.
    let report = one(&[
        [400, 600, 500, 510, 650],
        [400, 600, 500, 560, 650],
        [400, 600, 500, 490, 650],
    ]);
    let analysis = analyse(&report);
    let found = &analysis.assessments[0];
    assert_eq!(found.helps, Some(Claim::Open), "{}", found.reason);
}

#[test]
fn what_does_not_fit_and_what_was_not_measured() {
    let report = fixture::report(
        &["unfit", "broken"],
        &["a"],
        &[1, 2],
        |m, _, seed| match m {
            0 => Err(Status::NotInjectable {
                reason: "needs text width 512".into(),
            }),
            _ if seed == 1 => Err(Status::NotRun),
            _ => Err(Status::Failed {
                message: "NaN".into(),
            }),
        },
    );
    let analysis = analyse(&report);
    let [unfit, broken] = &*analysis.assessments else {
        panic!("two assessments")
    };
    assert_eq!(unfit.verdict, Some(Verdict::NotInjectable));
    assert_eq!(unfit.reason, "needs text width 512");
    assert_eq!(unfit.recommendation, Recommendation::Undecided);
    assert_eq!(broken.verdict, None);
    assert_eq!(broken.reason, "no number, for several reasons");
    assert_eq!(broken.recommendation, Recommendation::Undecided);
    assert_eq!(broken.missing.len(), 2);
    assert!(analysis.ranks.is_empty());
}

#[test]
fn a_lost_seed_leaves_the_others() {
    let report = fixture::report(&["m"], &["a"], &[1, 2, 3], |_, _, seed| match seed {
        2 => Err(Status::NotRun),
        _ => Ok(([400, 600, 500, 620], None)),
    });
    let analysis = analyse(&report);
    let found: &Assessment<'_> = &analysis.assessments[0];
    assert_eq!(found.cells.len(), 2);
    assert_eq!(found.missing[0].seed, 2);
    assert_eq!(found.retraining_pays, None);
    assert_eq!(found.flips.unwrap().images, 2000);
}

#[test]
fn ranks_are_over_shared_data_sets() {
    // By Base: m0 < m1 < m2. By New: m1 < m0 < m2.
    let report = fixture::report(&["m0", "m1", "m2"], &["a", "b"], &[1], |m, d, _| {
        if (m, d) == (1, 1) {
            return Err(Status::NotRun);
        }
        let new = [520, 510, 600][m];
        Ok(([400, 500 + 50 * m as u32, 480, new], None))
    });
    let analysis = analyse(&report);
    let [ranks] = &*analysis.ranks else {
        panic!("one ranking")
    };
    assert_eq!(ranks.datasets, ["a"]);
    // Two of three pairs keep their order.
    assert!((ranks.tau.unwrap() - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(ranks.interval, None, "one data set");
    assert_eq!(ranks.best(), Some(("m2", "m2")));
    assert_eq!(ranks.methods[1], ("m1", 0.55, 0.51));
}
