//! What holds for any table: properties of the tests and intervals.

use proptest::prelude::*;

use crate::stats::*;

fn tables() -> impl Strategy<Value = Pairs> {
    (1u64..400).prop_flat_map(|images| {
        (0..=images).prop_flat_map(move |gained| {
            (0..=images - gained).prop_map(move |lost| Pairs {
                images,
                gained,
                lost,
            })
        })
    })
}

fn mirrored(pairs: Pairs) -> Pairs {
    Pairs {
        gained: pairs.lost,
        lost: pairs.gained,
        ..pairs
    }
}

fn table(images: u64, gained: u64, lost: u64) -> Pairs {
    Pairs {
        images,
        gained,
        lost,
    }
}

proptest! {
    #[test]
    fn tango_holds_the_estimate_and_mirrors(pairs in tables()) {
        let found = tango_interval(&[pairs], 0.95).unwrap();
        let estimate = pairs.difference();
        prop_assert!(found.low <= estimate + 1e-12 && estimate <= found.high + 1e-12);
        prop_assert!(-1.0 <= found.low && found.high <= 1.0);
        let other = tango_interval(&[mirrored(pairs)], 0.95).unwrap();
        prop_assert!((other.low + found.high).abs() < 1e-9, "{found:?} {other:?}");
        prop_assert!((other.high + found.low).abs() < 1e-9, "{found:?} {other:?}");
    }

    #[test]
    fn a_higher_level_is_wider_and_more_images_are_narrower(pairs in tables()) {
        let at = |pairs, level| tango_interval(&[pairs], level).unwrap();
        let (wide, narrow) = (at(pairs, 0.99), at(pairs, 0.9));
        prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
        let more = table(pairs.images * 10, pairs.gained * 10, pairs.lost * 10);
        let (few, many) = (at(pairs, 0.95), at(more, 0.95));
        prop_assert!(many.high - many.low <= few.high - few.low + 1e-12);
    }

    #[test]
    fn equal_seeds_are_one_seed(pairs in tables(), seeds in 1usize..4) {
        let one = tango_interval(&[pairs], 0.95).unwrap();
        let many = tango_interval(&vec![pairs; seeds], 0.95).unwrap();
        prop_assert!((one.low - many.low).abs() < 1e-9);
        prop_assert!((one.high - many.high).abs() < 1e-9);
    }

    #[test]
    fn the_score_falls_with_the_difference(
        pairs in tables(),
        a in -0.99..0.99f64,
        b in -0.99..0.99f64,
    ) {
        let (low, high) = (a.min(b), a.max(b));
        prop_assert!(tango_score(&pairs, low) >= tango_score(&pairs, high) - 1e-9);
    }

    #[test]
    fn holm_lies_between_the_test_and_bonferroni(
        p in prop::collection::vec(0.0..1.0f64, 1..12),
    ) {
        let adjusted = holm(&p);
        let tests = p.len() as f64;
        for (raw, found) in p.iter().zip(&adjusted) {
            prop_assert!(raw <= found && *found <= (raw * tests).min(1.0));
        }
        for (i, j) in (0..p.len()).flat_map(|i| (0..p.len()).map(move |j| (i, j))) {
            prop_assert!(p[i] > p[j] || adjusted[i] <= adjusted[j], "order is kept");
        }
    }

    #[test]
    fn tau_turns_with_one_side(pairs in prop::collection::vec((0..20i32, 0..20i32), 2..12)) {
        let of = |sign: f64| {
            let pairs = pairs.iter().map(|(a, b)| (f64::from(*a), f64::from(*b) * sign));
            kendall_tau(&pairs.collect::<Vec<_>>())
        };
        match (of(1.0), of(-1.0)) {
            (Some(tau), Some(turned)) => {
                prop_assert!((-1.0..=1.0).contains(&tau));
                prop_assert_eq!(tau, -turned);
            }
            (one, other) => prop_assert_eq!(one, other),
        }
    }

    #[test]
    fn needed_images_detect_and_one_less_does_not(
        difference in 0.002..0.1f64,
        discordance in 0.01..0.5f64,
    ) {
        let needed = images_needed(difference, discordance, 0.05, 0.8).unwrap();
        let at = |n: u64| detectable_difference(n as f64, discordance, 0.05, 0.8).unwrap();
        prop_assert!(at(needed) <= difference + 1e-12);
        prop_assert!(at(needed - 1) >= difference - 1e-12);
    }

    #[test]
    fn bootstrap_lies_within_the_values(values in prop::collection::vec(0.0..1.0f64, 2..6)) {
        let found = bootstrap_interval(&values, 0.95, mean).unwrap();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        prop_assert!(least - 1e-12 <= found.low && found.low <= found.high);
        prop_assert!(found.high <= most + 1e-12);
        prop_assert_eq!(Some(found), bootstrap_interval(&values, 0.95, mean), "seeded");
    }

    #[test]
    fn tests_follow_the_sign_and_agree_with_the_interval(pairs in tables()) {
        let of = |pairs| Difference::of_pairs(vec![pairs]).unwrap();
        let (here, there) = (of(pairs), of(mirrored(pairs)));
        if pairs.lost != pairs.gained {
            prop_assert_eq!(here.p_below(0.0, None) < 0.5, pairs.lost > pairs.gained);
        }
        prop_assert!((here.p_below(0.0, None) - there.p_above(0.0, None)).abs() < 1e-9);
        // A wider margin is easier to stay within.
        prop_assert!(here.p_above(-0.2, None) <= here.p_above(-0.1, None) + 1e-12);
        let bound = tango_interval(&[pairs], 0.9).unwrap().low;
        if (bound + 0.1).abs() > 1e-9 {
            prop_assert_eq!(here.p_above(-0.1, None) < 0.05, bound > -0.1);
        }
    }
}

#[test]
fn no_discordant_pair_still_has_a_width() {
    let none = Difference::of_pairs(vec![table(100, 0, 0)]).unwrap();
    assert!(none.is_unchanged());
    let interval = none.interval(0.95, None);
    assert!(interval.low < -0.01 && interval.high > 0.01);
    assert_eq!(none.p_below(0.0, None), 0.5);
}

#[test]
fn seeds_that_scatter_leave_a_clear_loss_open() {
    // Each seed alone is a clear loss; they scatter widely around it.
    let seeds = vec![
        table(2000, 10, 80),
        table(2000, 10, 300),
        table(2000, 10, 20),
    ];
    let found = Difference::of_pairs(seeds.clone()).unwrap();
    assert!(found.sampling.high < 0.0);
    assert!(found.interval(0.95, None).high > 0.0);
    assert!(found.p_below(0.0, None) > 0.025);
    let one = Difference::of_pairs(seeds[..1].to_vec()).unwrap();
    assert_eq!(one.seeds, None);
    assert!(one.p_below(0.0, None) < 1e-6);
    // Seeds that happen to agree claim no more than one seed does, and still show the loss.
    let alike = Difference::of_pairs(vec![table(2000, 10, 80); 3]).unwrap();
    let (three, single) = (alike.interval(0.95, None), one.interval(0.95, None));
    assert!(three.low <= single.low && single.high <= three.high);
    assert!(three.high < 0.0, "{three:?}");
}

#[test]
fn what_is_no_input_has_no_result() {
    assert_eq!(tango_interval(&[], 0.95), None);
    for level in [0.0, 1.0, -0.5, f64::NAN] {
        assert_eq!(tango_interval(&[table(10, 1, 2)], level), None, "{level}");
        assert_eq!(wilson_interval(1, 2, level), None, "{level}");
    }
    assert_eq!(wilson_interval(0, 0, 0.95), None);
    assert_eq!(wilson_interval(3, 2, 0.95), None);
    assert_eq!(kendall_tau(&[(1.0, 2.0)]), None);
    assert_eq!(kendall_tau(&[(1.0, 2.0), (1.0, 3.0)]), None);
    assert_eq!(detectable_difference(0.0, 0.1, 0.05, 0.8), None);
    assert_eq!(detectable_difference(10.0, 1.1, 0.05, 0.8), None);
    assert_eq!(images_needed(0.0, 0.1, 0.05, 0.8), None);
    assert_eq!(bootstrap_interval(&[1.0], 0.95, mean), None);
    assert_eq!(bootstrap_interval(&[1.0, 2.0], 0.95, |_| None), None);
    assert!(holm(&[]).is_empty());
    assert_eq!(Difference::of_pairs(vec![]), None);
}
