//! The difference of two accuracies on the same images.

use crate::condition::Condition;

/// The 97.5 % quantile of the normal distribution.
const NORMAL_975: f64 = 1.959_963_984_540_054;

/// A difference of accuracies, `with - without`, with the half width of its paired
/// 95 % Wald interval: over n images of which b are correct only with and c only without,
/// the difference is `(b - c) / n` and its variance `(b + c - (b - c)² / n) / n²`.
///
/// Over several data sets the difference is the mean of theirs, and the variance
/// that of a mean of independent values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedDifference {
    pub value: f64,
    pub half_width: f64,
}

impl PairedDifference {
    /// The mean difference over pairs `(with, without)`, one pair a data set.
    ///
    /// `None` of no pairs, and when the two of a pair are not over the same number of
    /// images or over none.
    pub fn of(pairs: &[(&Condition, &Condition)]) -> Option<Self> {
        let count = pairs.len() as f64;
        if pairs.is_empty() {
            return None;
        }
        let (mut value, mut variance) = (0.0, 0.0);
        for (with, without) in pairs {
            if with.total != without.total || with.total == 0 {
                return None;
            }
            let total = usize::try_from(with.total).ok()?;
            let (mut gained, mut lost) = (0u64, 0u64);
            let images = with.correct_bitmap.iter(total);
            for (now, before) in images.zip(without.correct_bitmap.iter(total)) {
                gained += u64::from(now && !before);
                lost += u64::from(before && !now);
            }
            let (n, b, c) = (with.total as f64, gained as f64, lost as f64);
            value += (b - c) / n / count;
            variance += (b + c - (b - c).powi(2) / n) / (n * n) / (count * count);
        }
        Some(Self {
            value,
            half_width: NORMAL_975 * variance.sqrt(),
        })
    }

    /// Whether the whole interval is above 0.
    pub fn is_gain(&self) -> bool {
        self.value > self.half_width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(correct: &[u32]) -> Condition {
        let labels = vec![1; correct.len()];
        Condition::from_predictions(correct, &labels, "", 0.0).unwrap()
    }

    #[test]
    fn value_and_interval_of_a_hand_computed_table() {
        // 100 images: 20 only with, 10 only without, 40 both, 30 neither.
        let with: Vec<u32> = (0..100).map(|i| u32::from(i < 60)).collect();
        let without: Vec<u32> = (0..100).map(|i| u32::from((20..70).contains(&i))).collect();
        let (with, without) = (condition(&with), condition(&without));
        let one = PairedDifference::of(&[(&with, &without)]).unwrap();
        assert!((one.value - 0.1).abs() < 1e-15);
        // 1.959964 * sqrt((30 - 100 / 100) / 10000) = 1.959964 * 0.0538516
        assert!((one.half_width - 0.105_547_27).abs() < 1e-7);
        assert!(!one.is_gain());
        // Twice the same data set halves the variance: 0.1 against 0.0746.
        let two = PairedDifference::of(&[(&with, &without), (&with, &without)]).unwrap();
        assert!((two.half_width - one.half_width / 2f64.sqrt()).abs() < 1e-15);
        assert!(two.is_gain());
    }

    #[test]
    fn no_difference_is_no_gain() {
        let same = condition(&[1, 0, 1, 1]);
        let none = PairedDifference::of(&[(&same, &same)]).unwrap();
        assert_eq!((none.value, none.half_width), (0.0, 0.0));
        assert!(!none.is_gain());
    }

    #[test]
    fn different_test_sets_have_no_difference() {
        let (three, four) = (condition(&[1, 0, 1]), condition(&[1, 0, 1, 1]));
        assert_eq!(PairedDifference::of(&[(&three, &four)]), None);
        assert_eq!(PairedDifference::of(&[]), None);
    }
}
