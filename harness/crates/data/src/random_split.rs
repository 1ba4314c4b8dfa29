//! Splitting images into train, val and test by seed, for data without splits of its own.

use crate::listing::Item;
use crate::options::RandomSplit;
use crate::problems::Problems;
use crate::sampling::Mersenne;
use crate::summary::Class;

/// Samples val and test from each class, in label order from one random stream; every split keeps
/// the order of the images. Counts are rounded down, but to no less than one image per class where
/// the fraction is not zero.
pub(crate) fn random_split(
    items: Vec<Item>,
    classes: &[Class],
    random_split: Option<RandomSplit>,
    problems: &mut Problems,
) -> [Vec<Item>; 3] {
    let Some(RandomSplit { seed, val, test }) = random_split else {
        problems.add(
            "data set without splits",
            "add `split: {seed: 1, test: 0.2}` to its entry in the suite to split it at random",
        );
        return [items, Vec::new(), Vec::new()];
    };
    let is_fraction = |fraction: f64| (0.0..1.0).contains(&fraction);
    if !is_fraction(val) || !is_fraction(test) || val + test >= 1.0 {
        let item = format!("val {val} and test {test} leave nothing for train");
        problems.add("fractions of a random split", item);
        return [items, Vec::new(), Vec::new()];
    }
    let mut random = Mersenne::new(seed);
    // By image: 0 train, 1 val, 2 test.
    let mut parts = vec![0; items.len()];
    for (label, class) in classes.iter().enumerate() {
        let members: Vec<usize> = (0..items.len())
            .filter(|&index| items[index].label as usize == label)
            .collect();
        let count = |fraction: f64| match (fraction * members.len() as f64) as usize {
            0 if fraction > 0.0 => 1,
            count => count,
        };
        let (of_val, of_test) = (count(val), count(test));
        if of_val + of_test >= members.len() {
            let plural = if members.len() == 1 { "" } else { "s" };
            let item = format!("`{}` has {} image{plural}", class.id, members.len());
            problems.add("class too small to be divided at random", item);
            continue;
        }
        let drawn = random.sample(members.len(), of_val + of_test);
        for (rank, index) in drawn.into_iter().enumerate() {
            parts[members[index]] = if rank < of_test { 2 } else { 1 };
        }
    }
    let mut splits = [const { Vec::new() }; 3];
    for (item, part) in items.into_iter().zip(parts) {
        splits[part].push(item);
    }
    splits
}
