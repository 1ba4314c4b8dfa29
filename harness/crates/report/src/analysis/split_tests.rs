//! Several trainings on each of several few-shot splits.

use proptest::prelude::*;

use crate::aggregate::blocks;
use crate::analysis::analyse;
use crate::fixture;
use crate::report::Report;
use crate::seeds::{Replicates, Seeds};
use crate::stats::Estimate;

fn seeds(splits: &[u64], trainings: &[u64]) -> Vec<Seeds> {
    let pairs = splits.iter().flat_map(|&split| {
        let trainings = trainings.iter();
        trainings.map(move |&training| Seeds { split, training })
    });
    pairs.collect()
}

/// A method on one data set with this New for each pair of seeds.
fn report(seeds: &[Seeds], new: impl Fn(Seeds) -> u32) -> Report {
    fixture::crossed(&["m"], &["a"], seeds, |_, _, seeds| {
        Ok(([400, 600, 500, new(seeds)], Some(700)))
    })
}

#[test]
fn splits_are_counted_and_trainings_are_averaged() {
    let new = |seeds: Seeds| (510 + 20 * seeds.split + 2 * seeds.training) as u32;
    let report = report(&seeds(&[1, 2, 3], &[1, 2]), new);
    assert_eq!(report.cells.len(), 6);
    let analysis = analyse(&report);
    let found = &analysis.assessments[0];
    assert_eq!(found.replicates(), Replicates::Splits(3));
    // The mean over the two trainings of each split.
    let splits = Estimate::of(&[0.533, 0.553, 0.573]).unwrap();
    let summary = blocks(&report)[0].methods[0].summary.unwrap();
    assert_eq!(summary.new.n, 3);
    assert!((summary.new.mean - splits.mean).abs() < 1e-12);
    let half = |of: Estimate| of.half_width.unwrap();
    assert!((half(summary.new) - half(splits)).abs() < 1e-12);
    let over = found.over_zero_shot.unwrap().value;
    assert!((over - 0.053).abs() < 1e-12, "{over}");
    let mean = found.mean(|cell| Some(cell.conditions.new.as_ref()?.accuracy));
    assert!((mean.unwrap() - splits.mean).abs() < 1e-12);
    assert!(!found.advice.contains("split only"), "{}", found.advice);
}

#[test]
fn trainings_on_one_split_speak_of_that_split() {
    let new = |seeds: Seeds| (510 + 2 * seeds.training) as u32;
    let report = report(&seeds(&[4], &[1, 2, 3]), new);
    let analysis = analyse(&report);
    let found = &analysis.assessments[0];
    assert_eq!(found.replicates(), Replicates::Trainings(3));
    let end = "(this split only: one few-shot split)";
    assert!(found.advice.ends_with(end), "{}", found.advice);
    let block = &blocks(&report)[0];
    assert!(block.replicates().is_one_split());
    assert_eq!(block.methods[0].summary.unwrap().new.n, 3);
}

proptest! {
    // A training repeated says nothing new: everything is as with one training a split.
    #[test]
    fn repeated_trainings_change_nothing(new in prop::collection::vec(300u32..700, 2..6)) {
        let splits: Vec<u64> = (0..new.len() as u64).collect();
        let of = |seeds: Seeds| new[seeds.split as usize];
        let once = report(&seeds(&splits, &[9]), of);
        let twice = report(&seeds(&splits, &[8, 9]), of);
        let (once, twice) = (analyse(&once), analyse(&twice));
        let (once, twice) = (&once.assessments[0], &twice.assessments[0]);
        let effects = |one: &crate::analysis::Assessment<'_>| {
            [one.over_zero_shot.unwrap(), one.source_gain.unwrap(), one.gain_change.unwrap()]
        };
        for (a, b) in effects(once).into_iter().zip(effects(twice)) {
            prop_assert!((a.value - b.value).abs() < 1e-12);
            prop_assert!((a.interval.low - b.interval.low).abs() < 1e-9, "{a:?} {b:?}");
            prop_assert!((a.interval.high - b.interval.high).abs() < 1e-9, "{a:?} {b:?}");
        }
        prop_assert_eq!(&once.advice, &twice.advice);
        prop_assert_eq!(once.verdict, twice.verdict);
    }
}
