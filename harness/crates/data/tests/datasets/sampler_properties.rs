//! What must hold for the few-shot split of any labels, shots and seed.

use std::collections::{HashMap, HashSet};

use harness_data::{FewShotSplit, Sampler, few_shot};
use proptest::prelude::*;

fn count(labels: impl IntoIterator<Item = u32>) -> HashMap<u32, usize> {
    let mut counts = HashMap::new();
    for label in labels {
        *counts.entry(label).or_default() += 1;
    }
    counts
}

fn appearance(labels: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mut seen = HashSet::new();
    labels
        .into_iter()
        .filter(|&label| seen.insert(label))
        .collect()
}

/// Distinct, in range, `min(shots, size)` of every class, classes together and in file order.
fn check(labels: &[u32], indices: &[usize], shots: usize) -> Result<(), TestCaseError> {
    let distinct: HashSet<usize> = indices.iter().copied().collect();
    prop_assert_eq!(distinct.len(), indices.len());
    prop_assert!(indices.iter().all(|&index| index < labels.len()));
    let picked: Vec<u32> = indices.iter().map(|&index| labels[index]).collect();
    let expected: HashMap<u32, usize> = count(labels.iter().copied())
        .into_iter()
        .map(|(label, size)| (label, size.min(shots)))
        .filter(|&(_, size)| size > 0)
        .collect();
    prop_assert_eq!(count(picked.iter().copied()), expected);
    if shots > 0 {
        prop_assert_eq!(
            appearance(picked.iter().copied()),
            appearance(labels.iter().copied())
        );
    }
    prop_assert!(picked.is_sorted_by_key(|label| labels.iter().position(|l| l == label)));
    Ok(())
}

fn labels() -> impl Strategy<Value = Vec<u32>> {
    (1_u32..8).prop_flat_map(|classes| prop::collection::vec(0..classes, 0..300))
}

proptest! {
    #[test]
    fn splits_are_what_was_asked_for(
        train in labels(),
        val in labels(),
        shots in 0_usize..40,
        seed in any::<u64>(),
        clip_lora in any::<bool>(),
    ) {
        let sampler = if clip_lora { Sampler::ClipLora } else { Sampler::Coop };
        let split = few_shot(&train, &val, shots, seed, sampler);
        check(&train, &split.train, shots)?;
        check(&val, &split.val, shots.min(4))?;
        prop_assert_eq!(&split, &few_shot(&train, &val, shots, seed, sampler));
    }

    #[test]
    fn swapping_the_splits_of_small_shots_swaps_the_samplers(
        train in labels(),
        val in labels(),
        shots in 1_usize..=4,
        seed in any::<u64>(),
    ) {
        // Up to four shots both splits are drawn alike, so only the order of draws differs.
        let coop = few_shot(&train, &val, shots, seed, Sampler::Coop);
        let lora = few_shot(&val, &train, shots, seed, Sampler::ClipLora);
        prop_assert_eq!(coop.train, lora.val);
        prop_assert_eq!(coop.val, lora.train);
    }
}

#[test]
fn a_short_class_gives_all_its_images_without_a_draw() {
    let labels = [3, 3, 5, 3, 5];
    let split = few_shot(&labels, &[], 3, 1, Sampler::Coop);
    assert_eq!(split.train[3..], [2, 4]);
    let alone = few_shot(&[3, 3, 3], &[], 3, 1, Sampler::Coop);
    let of_three: Vec<usize> = alone.train.iter().map(|&index| [0, 1, 3][index]).collect();
    assert_eq!(split.train[..3], of_three);
}

#[test]
fn seeds_and_samplers_pick_differently_and_the_digest_tells() {
    let labels: Vec<u32> = (0..400).map(|index| index % 10).collect();
    let draw = |seed, sampler| few_shot(&labels, &labels, 16, seed, sampler);
    let all: Vec<FewShotSplit> = vec![
        draw(1, Sampler::Coop),
        draw(2, Sampler::Coop),
        // Beyond 32 bits the seed has a second word.
        draw(1 + (1 << 32), Sampler::Coop),
        draw(1, Sampler::ClipLora),
    ];
    let digests: HashSet<&str> = all.iter().map(|split| split.sha256.as_str()).collect();
    assert_eq!(digests.len(), all.len());
}

#[test]
fn samplers_are_named_as_in_a_suite() {
    for sampler in [Sampler::Coop, Sampler::ClipLora] {
        let json = serde_json::to_string(&sampler).unwrap();
        assert_eq!(json, format!("\"{sampler}\""));
        assert_eq!(serde_json::from_str::<Sampler>(&json).unwrap(), sampler);
    }
}
