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
    fn mcnemar_is_symmetric_and_a_probability(pairs in tables()) {
        let p = mid_p_mcnemar(&pairs);
        prop_assert!((0.0..=1.0).contains(&p));
        prop_assert!((p - mid_p_mcnemar(&mirrored(pairs))).abs() < 1e-12);
        let both = mid_p_worse(&pairs) + mid_p_worse(&mirrored(pairs));
        prop_assert!((both - 1.0).abs() < 1e-9);
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
    fn worse_and_inferior_follow_the_sign(pairs in tables()) {
        let of = |pairs| Difference::of_pairs(vec![pairs]).unwrap();
        let (here, there) = (of(pairs), of(mirrored(pairs)));
        if pairs.lost != pairs.gained {
            prop_assert_eq!(here.p_worse() < 0.5, pairs.lost > pairs.gained);
        }
        prop_assert!((here.p_worse() + there.p_worse() - 1.0).abs() < 1e-9);
        // A wider margin is easier to stay within.
        prop_assert!(here.p_inferior(0.2) <= here.p_inferior(0.1) + 1e-12);
        // The test and the interval at the same level agree.
        let bound = tango_interval(&[pairs], 0.9).unwrap().low;
        if (bound + 0.1).abs() > 1e-9 {
            prop_assert_eq!(here.p_inferior(0.1) < 0.05, bound > -0.1);
        }
    }
}

#[test]
fn no_discordant_pair_still_has_a_width() {
    let none = Difference::of_pairs(vec![table(100, 0, 0)]).unwrap();
    assert!(none.is_unchanged());
    assert!(none.low() < -0.01 && none.high() > 0.01);
    assert_eq!(none.p_worse(), 0.5);
    assert_eq!(mid_p_mcnemar(&table(100, 0, 0)), 1.0);
}

#[test]
fn both_kinds_of_uncertainty_have_a_say() {
    // Each seed alone is a clear loss; they scatter widely around it.
    let seeds = vec![
        table(2000, 10, 80),
        table(2000, 10, 300),
        table(2000, 10, 20),
    ];
    let found = Difference::of_pairs(seeds.clone()).unwrap();
    assert!(found.sampling.high < 0.0);
    assert!(found.seeds.unwrap().high > 0.0);
    assert_eq!(found.high(), found.seeds.unwrap().high);
    assert!(found.p_worse() > 0.05, "{}", found.p_worse());
    let one = Difference::of_pairs(seeds[..1].to_vec()).unwrap();
    assert_eq!(one.seeds, None);
    assert!(one.p_worse() < 1e-6);
    // Seeds that agree leave the sampling uncertainty alone.
    let alike = Difference::of_pairs(vec![table(2000, 10, 80); 3]).unwrap();
    assert!((alike.low() - one.low()).abs() < 1e-9);
    assert!((alike.p_inferior(0.05) - one.p_inferior(0.05)).abs() < 1e-9);
    assert!((alike.p_worse() / one.p_worse() - 1.0).abs() < 1e-3);
}

#[test]
fn seeds_scatter_into_the_p_values() {
    // Differences of -0.02, -0.03 and -0.04: t = -5.196 with 2 degrees of freedom.
    let seeds = vec![table(1000, 0, 20), table(1000, 0, 30), table(1000, 0, 40)];
    let found = Difference::of_pairs(seeds).unwrap();
    // python -c "from scipy.stats import t; print(t.sf(5.196152422706632, 2))"
    assert!((found.p_worse() - 0.017549359322992324).abs() < 1e-9);
    // Of -0.05 or worse: (0.02) / 0.0057735 = 3.4641.
    // python -c "from scipy.stats import t; print(t.sf(3.4641016151377544, 2))"
    assert!((found.p_inferior(0.05) - 0.037089950113724277).abs() < 1e-9);
    assert_eq!(found.value, -0.03);
    let t = found.seeds.unwrap();
    assert!((t.high - (-0.03 + 4.302652729749462 * 0.01 / 3f64.sqrt())).abs() < 1e-12);
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
