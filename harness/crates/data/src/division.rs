//! Dividing images into train, val and test by seed, for data that does not say itself.

use crate::listing::Item;
use crate::opening::Division;
use crate::problems::Problems;
use crate::sampling::Mersenne;

/// Draws val and test from each class, in label order from one stream; every split keeps the
/// order of the images. Shares are rounded down, but no split that has a share stays empty.
pub(crate) fn divide(
    items: Vec<Item>,
    division: Option<Division>,
    problems: &mut Problems,
) -> [Vec<Item>; 3] {
    let Some(Division { seed, val, test }) = division else {
        problems.add(
            "data set that is not divided",
            "it says nowhere what is train and what is test; write `split: {seed: 1, test: 0.2}` in its entry of the suite",
        );
        return [items, Vec::new(), Vec::new()];
    };
    let is_share = |share: f64| (0.0..1.0).contains(&share);
    if !is_share(val) || !is_share(test) || val + test >= 1.0 {
        let which = format!("val {val} and test {test} leave no share for train");
        problems.add("split by seed", which);
        return [items, Vec::new(), Vec::new()];
    }
    let mut random = Mersenne::new(seed);
    let classes = items.iter().map(|item| item.label as usize + 1).max();
    // By image: 0 train, 1 val, 2 test.
    let mut parts = vec![0; items.len()];
    for label in 0..classes.unwrap_or(0) {
        let members: Vec<usize> = (0..items.len())
            .filter(|&index| items[index].label as usize == label)
            .collect();
        let count = |share: f64| match (share * members.len() as f64) as usize {
            0 if share > 0.0 => 1,
            count => count,
        };
        let (of_val, of_test) = (count(val), count(test));
        if of_val + of_test >= members.len() {
            let which = format!("class {label} has {} images", members.len());
            problems.add("class too small to be divided", which);
            continue;
        }
        let drawn = random.sample(members.len(), of_val + of_test);
        for (place, index) in drawn.into_iter().enumerate() {
            parts[members[index]] = if place < of_test { 2 } else { 1 };
        }
    }
    let mut divided = [const { Vec::new() }; 3];
    for (item, part) in items.into_iter().zip(parts) {
        divided[part].push(item);
    }
    divided
}
