//! Images that were right before and are wrong after.

use crate::condition::Condition;

/// Negative-flip rate, |old correct ∧ new wrong| / N (Yan et al. 2021): `None` when the
/// two are not over the same number of images or over none.
pub fn negative_flip_rate(old: &Condition, new: &Condition) -> Option<f64> {
    if old.total != new.total || old.total == 0 {
        return None;
    }
    let total = usize::try_from(old.total).ok()?;
    let images = old.correct_bitmap.iter(total);
    let flips = images
        .zip(new.correct_bitmap.iter(total))
        .filter(|(before, after)| *before && !after)
        .count();
    Some(flips as f64 / old.total as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn condition(correct: &[bool]) -> Condition {
        let predictions: Vec<u32> = correct.iter().map(|c| u32::from(*c)).collect();
        Condition::from_predictions(&predictions, &vec![1; correct.len()], "", 0.0).unwrap()
    }

    #[test]
    fn counts_only_right_to_wrong() {
        let old = condition(&[true, true, true, false]);
        let new = condition(&[false, true, false, true]);
        assert_eq!(negative_flip_rate(&old, &new), Some(0.5));
        assert_eq!(negative_flip_rate(&new, &old), Some(0.25));
        assert_eq!(negative_flip_rate(&old, &condition(&[true])), None);
    }

    proptest! {
        #[test]
        fn flips_explain_the_change_of_accuracy(
            images in prop::collection::vec(any::<(bool, bool)>(), 1..100),
        ) {
            let (old, new): (Vec<bool>, Vec<bool>) = images.into_iter().unzip();
            let (old, new) = (condition(&old), condition(&new));
            let lost = negative_flip_rate(&old, &new).unwrap();
            let won = negative_flip_rate(&new, &old).unwrap();
            prop_assert!((won - lost - (new.accuracy - old.accuracy)).abs() < 1e-12);
        }
    }
}
