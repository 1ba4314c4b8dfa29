//! The mean over data sets of a difference of two accuracies on the same images.

use crate::condition::Condition;
use crate::stats::difference::LEVEL;
use crate::stats::interval::Interval;
use crate::stats::pairs::Pairs;
use crate::stats::tango::tango_interval;

/// A difference of accuracies, `with - without`, the mean over data sets, and its
/// paired 95 % interval: the mean of the data sets' Tango bounds.
///
/// The mean of the bounds holds however the data sets' errors hang together: some
/// share their modules (a shifted test set), some their images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedDifference {
    pub value: f64,
    pub interval: Interval,
}

impl PairedDifference {
    /// The mean difference over pairs `(with, without)`, one pair a data set.
    ///
    /// `None` of no pairs, and when the two of a pair are not over the same number of
    /// images or over none.
    pub fn of(pairs: &[(&Condition, &Condition)]) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        let count = pairs.len() as f64;
        let (mut value, mut low, mut high) = (0.0, 0.0, 0.0);
        for (with, without) in pairs {
            let table = Pairs::of(with, without)?;
            let interval = tango_interval(&[table], LEVEL)?;
            value += table.difference() / count;
            low += interval.low / count;
            high += interval.high / count;
        }
        Some(Self {
            value,
            interval: Interval { low, high },
        })
    }

    /// Whether the whole interval is above 0.
    pub fn is_gain(&self) -> bool {
        self.interval.low > 0.0
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
    fn the_bounds_of_data_sets_are_averaged() {
        // 100 images: 20 only with, 10 only without, 40 both, 30 neither.
        let with: Vec<u32> = (0..100).map(|i| u32::from(i < 60)).collect();
        let without: Vec<u32> = (0..100).map(|i| u32::from((20..70).contains(&i))).collect();
        let (with, without) = (condition(&with), condition(&without));
        let one = PairedDifference::of(&[(&with, &without)]).unwrap();
        assert!((one.value - 0.1).abs() < 1e-15);
        // The table is among the golden values.
        assert!((one.interval.low + 0.007_682_903_9).abs() < 1e-8, "{one:?}");
        assert!(!one.is_gain());
        let other = PairedDifference::of(&[(&with, &with)]).unwrap();
        let two = PairedDifference::of(&[(&with, &without), (&with, &with)]).unwrap();
        assert!((two.value - 0.05).abs() < 1e-15);
        let low = (one.interval.low + other.interval.low) / 2.0;
        assert!((two.interval.low - low).abs() < 1e-15);
        let turned = PairedDifference::of(&[(&without, &with)]).unwrap();
        assert!((turned.value + 0.1).abs() < 1e-15);
    }

    #[test]
    fn no_difference_is_no_gain() {
        let same = condition(&[1, 0, 1, 1]);
        let none = PairedDifference::of(&[(&same, &same)]).unwrap();
        assert_eq!(none.value, 0.0);
        assert!(none.interval.contains(0.0));
        assert!(!none.is_gain());
    }

    #[test]
    fn different_test_sets_have_no_difference() {
        let (three, four) = (condition(&[1, 0, 1]), condition(&[1, 0, 1, 1]));
        assert_eq!(PairedDifference::of(&[(&three, &four)]), None);
        assert_eq!(PairedDifference::of(&[]), None);
    }
}
