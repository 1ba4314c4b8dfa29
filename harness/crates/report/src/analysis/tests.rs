//! Verdicts and what follows from them, on tables whose numbers are clear.

use crate::analysis::{Assessment, Recommendation, Verdict, analyse};
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
fn each_verdict_has_its_table() {
    use Recommendation::{Drop, Keep, Retrain, Undecided};
    use Verdict::{Compatible, Degraded, Incompatible, Inconclusive};
    for (counts, expected) in [
        // No loss against Base, and above the target's zero-shot.
        ([400, 600, 500, 620, 625], (Compatible, Keep)),
        // No loss against Base, but the target does better alone: the order matters.
        ([400, 600, 700, 650, 701], (Incompatible, Drop)),
        ([400, 600, 700, 650, 760], (Incompatible, Retrain)),
        // A clear loss that leaves it above the zero-shot.
        ([400, 700, 500, 600, 680], (Degraded, Retrain)),
        // The same, where retraining is no better.
        ([400, 700, 500, 600, 601], (Degraded, Keep)),
    ] {
        let (verdict, recommendation, reason, _) = verdict(&one(&[counts]));
        assert_eq!((verdict, recommendation), expected, "{counts:?}: {reason}");
    }
    // Three images of a thousand lost: neither a loss nor one within half a point.
    for (zero_target, expected) in [(500, Keep), (597, Undecided)] {
        let report = half_a_point(one(&[[400, 600, zero_target, 597, 650]]));
        let (verdict, recommendation, reason, _) = verdict(&report);
        assert_eq!(
            (verdict, recommendation),
            (Inconclusive, expected),
            "{reason}"
        );
    }
}

fn half_a_point(mut report: Report) -> Report {
    report.suite.gate = Some(GateRule {
        margin: 0.5,
        alpha: 0.05,
    });
    report
}

#[test]
fn the_sentences_have_the_numbers() {
    let (_, _, reason, advice) = verdict(&one(&[[400, 700, 500, 600, 680]]));
    assert_eq!(
        reason,
        "below Base, perhaps by more than 1.00 points: New - Base is -10.00 [-12.02, -8.29] points"
    );
    assert_eq!(
        advice,
        "+8.00 points over New, +18.00 points over the target's zero-shot for training that \
         took 1.5 s on the source"
    );
    let mut report = one(&[[400, 600, 700, 650, 760]]);
    report.cells[0].retraining = Some(Retraining {
        steps: 50,
        seconds: 2.25,
    });
    let (_, _, reason, advice) = verdict(&report);
    assert!(
        reason.starts_with("below the target's zero-shot: New - zero-shot is -5.00 [-6.5"),
        "{reason}"
    );
    assert_eq!(
        advice,
        "+11.00 points over New, +6.00 points over the target's zero-shot for 2.2 s of training"
    );
    let (_, _, _, advice) = verdict(&one(&[[400, 600, 500, 620, 680]]));
    assert_eq!(
        advice,
        "costs nothing, +12.00 points over the target's zero-shot; retraining would add 6.00 \
         points for training that took 1.5 s on the source"
    );
}

#[test]
fn an_inconclusive_verdict_says_what_would_decide() {
    let report = half_a_point(one(&[[400, 600, 500, 597, 650]]));
    let analysis = analyse(&report);
    let found = &analysis.assessments[0];
    let deciding = found.deciding.unwrap();
    // The half width of 0.0048 must shrink to the 0.003 between the loss and none.
    let images = deciding.images.unwrap();
    assert!((2300..2800).contains(&images), "{images}");
    assert_eq!(deciding.seeds, None, "one seed has no scatter");
    assert!(
        found
            .reason
            .ends_with(&format!("about {images} test images would decide")),
        "{}",
        found.reason
    );
    // Seeds that scatter need more seeds.
    let report = one(&[
        [400, 600, 500, 597, 650],
        [400, 600, 500, 630, 650],
        [400, 600, 500, 570, 650],
    ]);
    let analysis = analyse(&report);
    let found = &analysis.assessments[0];
    assert_eq!(found.verdict, Some(Verdict::Inconclusive));
    let seeds = found.deciding.unwrap().seeds.unwrap();
    assert!(seeds > 3, "{seeds}");
}

#[test]
fn the_margin_is_the_suites() {
    let mut report = one(&[[400, 600, 500, 580, 650]]);
    assert_eq!(verdict(&report).0, Verdict::Degraded);
    report.suite.gate = Some(GateRule {
        margin: 5.0,
        alpha: 0.05,
    });
    let (found, _, reason, _) = verdict(&report);
    assert_eq!(found, Verdict::Compatible);
    assert!(
        reason.starts_with("less than 5.00 points below Base"),
        "{reason}"
    );
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
    assert_eq!(unfit.recommendation, Recommendation::Retrain);
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
    assert_eq!(found.retrained, None);
    assert_eq!(found.verdict, Some(Verdict::Compatible));
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
