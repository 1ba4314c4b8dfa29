//! Averages checked by hand.

use crate::aggregate::blocks;
use crate::cell::Status;
use crate::fixture;
use crate::upgrade::Upgrade;

fn close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-12,
        "{found}, expected {expected}"
    );
}

/// Two data sets, two seeds, 1000 images:
///
/// | | Z(s) | Base 1, 2 | Z(t) | New 1, 2 | A(t→t) 1, 2 |
/// |-|-|-|-|-|-|
/// | a | .40 | .60, .64 | .50 | .60, .62 | .70, .70 |
/// | b | .20 | .30, .32 | .30 | .20, .26 | .40, .44 |
#[test]
fn two_seeds_on_two_data_sets() {
    let report = fixture::report(&["m"], &["a", "b"], &[1, 2], |_, d, seed| {
        Ok(match (d, seed) {
            (0, 1) => ([400, 600, 500, 600], Some(700)),
            (0, _) => ([400, 640, 500, 620], Some(700)),
            (_, 1) => ([200, 300, 300, 200], Some(400)),
            _ => ([200, 320, 300, 260], Some(440)),
        })
    });
    let blocks = blocks(&report);
    let block = &blocks[0];
    assert_eq!(
        (block.shots, &*block.seeds, &*block.datasets),
        (16, &[1, 2][..], &["a", "b"][..])
    );

    let zero = block.zero_shot.summary.unwrap();
    close(zero.source, 0.3);
    close(zero.target, 0.4);
    close(zero.h_of_means, 2.0 * 0.3 * 0.4 / 0.7);
    close(
        zero.mean_of_h,
        (2.0 * 0.4 * 0.5 / 0.9 + 2.0 * 0.2 * 0.3 / 0.5) / 2.0,
    );

    let method = &block.methods[0];
    let of = method.summary.unwrap();
    // By seed: Base .45 and .48, New .40 and .44.
    close(of.base.mean, 0.465);
    close(of.new.mean, 0.42);
    assert_eq!(of.new.half_width, None, "two seeds");
    let h = |b: f64, n: f64| 2.0 * b * n / (b + n);
    close(of.h_of_means.mean, (h(0.45, 0.40) + h(0.48, 0.44)) / 2.0);
    let mean_of_h = h(0.60, 0.60) + h(0.30, 0.20) + h(0.64, 0.62) + h(0.32, 0.26);
    close(of.mean_of_h.mean, mean_of_h / 4.0);
    close(of.over_zero_shot.mean, 0.02);
    close(of.oracle.unwrap().mean, 0.56);

    close(method.entries[1].new.unwrap(), 0.23);
    close(method.entries[1].over_zero_shot.unwrap(), -0.07);
}

#[test]
fn a_data_set_with_a_lost_seed_is_left_out_of_the_averages_and_shown() {
    let report = fixture::report(&["m", "n"], &["a", "b"], &[1, 2], |m, d, seed| {
        match (m, d, seed) {
            (0, 1, 2) => Err(Status::NotRun),
            (_, 1, _) => Ok(([100, 200, 100, 900], None)),
            _ => Ok(([400, 600, 500, 600], None)),
        }
    });
    let blocks = blocks(&report);
    let [partial, whole] = &*blocks[0].methods else {
        panic!("two rows")
    };
    assert_eq!(partial.averaged, [0]);
    close(partial.summary.unwrap().new.mean, 0.6);
    close(partial.summary.unwrap().over_zero_shot.mean, 0.1);
    close(partial.entries[1].new.unwrap(), 0.9);
    assert!(!partial.entries[1].is_complete());
    assert_eq!(partial.entries[1].problems[0].seed, 2);
    assert_eq!(whole.averaged, [0, 1]);
    close(whole.summary.unwrap().new.mean, 0.75);
}

#[test]
fn a_cell_that_the_report_lacks_is_not_averaged_over() {
    let mut report = fixture::report(&["m"], &["a", "b"], &[1, 2], |_, _, _| {
        Ok(([400, 600, 500, 600], None))
    });
    report
        .cells
        .retain(|cell| (&*cell.dataset, cell.seed) != ("b", 2));
    let blocks = blocks(&report);
    let method = &blocks[0].methods[0];
    assert_eq!(method.averaged, [0]);
    assert_eq!(method.entries[1].problems[0].status, &Status::NotRun);
}

#[test]
fn a_missing_oracle_and_one_seed_have_no_number() {
    let report = fixture::report(&["m"], &["a", "b"], &[1], |_, d, _| {
        Ok(([400, 401, 500, 600], (d == 0).then_some(700)))
    });
    let blocks = blocks(&report);
    let of = blocks[0].methods[0].summary.unwrap();
    assert_eq!(of.oracle, None, "one of the two data sets has no oracle");
    assert_eq!(of.base.half_width, None, "one seed");
}

#[test]
fn upgrades_and_shots_are_apart_and_order_does_not_matter() {
    let mut report = fixture::report(&["m", "n"], &["b", "a"], &[2, 1], |_, _, _| {
        Ok(([1, 2, 3, 4], None))
    });
    let other = Upgrade {
        source: "micro-eva-clip".into(),
        target: "micro-clip".into(),
    };
    report.upgrades.push(other.clone());
    let mut more = report.cells.clone();
    for cell in &mut more[..4] {
        cell.upgrade = other.clone();
    }
    for cell in &mut more[4..] {
        cell.shots = 4;
    }
    report.cells.extend(more);
    report.sort_cells();
    let sorted = report.clone();
    report.cells.reverse();
    let keys: Vec<(&str, u32)> = blocks(&report)
        .iter()
        .map(|b| (&*b.upgrade.source, b.shots))
        .collect();
    assert_eq!(
        keys,
        [
            ("micro-clip", 4),
            ("micro-clip", 16),
            ("micro-eva-clip", 16)
        ]
    );
    report.sort_cells();
    assert_eq!(report, sorted);
    let first: Vec<_> = report
        .cells
        .iter()
        .take(5)
        .map(|c| (&*c.method, &*c.dataset, c.seed))
        .collect();
    assert_eq!(
        first,
        [
            ("n", "b", 1),
            ("n", "b", 2),
            ("n", "a", 1),
            ("n", "a", 2),
            ("m", "b", 1)
        ]
    );
}
