//! Chains of upgrades with known counts.

use harness_report::analysis::{StepClaim, analyse};
use harness_report::{Chain, Report, Upgrade};

use crate::fixture;

/// Modules of a gain 200 images over zero-shot on a, `on_b` on b, `on_c` on c; and modules that
/// were trained on b, which gain 200 there and `later` on c.
fn chain(on_b: u32, on_c: u32, later: u32) -> Report {
    let upgrade = |source: &str, target: &str| Upgrade {
        source: source.into(),
        target: target.into(),
    };
    let part = |upgrade: &Upgrade, gain: u32| {
        let measured = |_, _, _| Ok(([400, 600, 500, 500 + gain], None));
        let mut part = fixture::report(&["m"], &["d"], &[1, 2, 3], measured);
        for cell in &mut part.cells {
            cell.upgrade = upgrade.clone();
        }
        part
    };
    let upgrades = [upgrade("a", "b"), upgrade("a", "c"), upgrade("b", "c")];
    let mut report = part(&upgrades[0], on_b);
    report.cells.extend(part(&upgrades[1], on_c).cells);
    report.cells.extend(part(&upgrades[2], later).cells);
    report.upgrades = upgrades.into();
    report.chains = vec![Chain {
        backbones: ["a", "b", "c"].map(str::to_owned).into(),
    }];
    report
}

#[test]
fn the_step_that_lost_the_gain_is_named_and_so_is_whether_retraining_between_serves() {
    let report = chain(20, 25, 190);
    let analysis = analyse(&report);
    let [chain] = &analysis.chains[..] else {
        panic!("one chain with one number of shots");
    };
    assert_eq!((chain.backbones.len(), chain.shots), (3, 16));
    let [first, later] = &chain.rows[..] else {
        panic!("modules of a and of b");
    };
    let gains = |row: &crate::analysis::ChainRow<'_>| -> Vec<i64> {
        let gains = row.stops.iter().map(|stop| stop.gain.unwrap().value);
        gains.map(|gain| (gain * 1000.0).round() as i64).collect()
    };
    assert_eq!(gains(first), [200, 20, 25]);
    assert_eq!(gains(later), [200, 190]);
    let claims = |row: &crate::analysis::ChainRow<'_>| -> Vec<Option<StepClaim>> {
        let steps = row.stops.iter().map(|stop| stop.step);
        steps.map(|step| step.map(|step| step.claim)).collect()
    };
    assert_eq!(
        claims(first),
        [None, Some(StepClaim::Lost), Some(StepClaim::Open)]
    );
    let change = first.stops[1].step.unwrap().change;
    assert!((change.value + 0.18).abs() < 1e-12);
    assert!(change.interval.high < 0.0);
    assert!(later.stop(2).unwrap().helps && !later.stop(2).unwrap().harms);
    assert!(later.stop(0).is_none());
}

#[test]
fn a_step_without_one_of_its_ends_is_not_measured() {
    let mut report = chain(20, 25, 190);
    report.cells.retain(|cell| cell.upgrade.target != "b");
    let analysis = analyse(&report);
    let row = &analysis.chains[0].rows[0];
    assert!(row.stops[1].gain.is_none());
    assert!(row.stops[1].step.is_none() && row.stops[2].step.is_none());
    assert!(row.stops[0].gain.is_some() && row.stops[2].gain.is_some());

    // Seeds that only one end has do not count.
    let mut report = chain(20, 25, 190);
    let is_other = |cell: &crate::cell::Cell| cell.upgrade.target == "c" && cell.seed == 3.into();
    report.cells.retain(|cell| !is_other(cell));
    assert!(analyse(&report).chains[0].rows[0].stops[2].step.is_some());
}

#[test]
fn a_report_without_chains_has_none_and_an_older_file_reads() {
    let report = fixture::report(&["m"], &["d"], &[1], |_, _, _| {
        Ok(([400, 600, 500, 600], None))
    });
    assert!(analyse(&report).chains.is_empty());
    let text = serde_json::to_string(&report).unwrap();
    assert!(!text.contains("chains"), "old readers still read it");
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    let with = chain(20, 25, 190);
    let text = serde_json::to_string(&with).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), with);
}
