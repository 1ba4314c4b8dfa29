//! Images that were right before and are wrong after, and what caused it.

use std::ops::{Add, AddAssign};

use serde::Serialize;

use crate::cell::Conditions;
use crate::condition::Condition;

/// The images of a cell by what became of them from Base to New. Counts; summed over
/// seeds where several are meant.
///
/// `negative = adapter_caused + backbone_caused + recoverable + unattributed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Flips {
    pub images: u64,
    pub both_right: u64,
    pub both_wrong: u64,
    /// Wrong in Base, right in New.
    pub positive: u64,
    /// Right in Base, wrong in New.
    pub negative: u64,
    /// Of the negative: the target's zero-shot is right, so dropping the module fixes it.
    pub adapter_caused: u64,
    /// Of the negative: neither the target's zero-shot nor the retrained module is right.
    pub backbone_caused: u64,
    /// Of the negative: the target's zero-shot is wrong, the retrained module right.
    pub recoverable: u64,
    /// Of the negative: the target's zero-shot is wrong, and nothing was retrained.
    pub unattributed: u64,
}

impl Flips {
    /// Over all images of a cell; `None` where Base, New or Z(t) is missing or the
    /// conditions are not over the same images.
    pub fn of(conditions: &Conditions) -> Option<Self> {
        let total = conditions.base.as_ref()?.total;
        let images: Vec<usize> = (0..usize::try_from(total).ok()?).collect();
        Self::of_images(conditions, &images)
    }

    /// Over some images, given by their places in the data set's order.
    pub fn of_images(conditions: &Conditions, images: &[usize]) -> Option<Self> {
        let base = conditions.base.as_ref()?;
        let new = conditions.new.as_ref()?;
        let zero = conditions.zero_target.as_ref()?;
        let oracle = conditions.oracle.as_ref();
        let all = [Some(base), Some(new), Some(zero), oracle];
        if all.iter().flatten().any(|one| one.total != base.total) {
            return None;
        }
        let mut flips = Self::default();
        for image in images {
            let right = |condition: &Condition| condition.correct_bitmap.get(*image);
            flips.images += 1;
            let kind = match (right(base), right(new)) {
                (true, true) => &mut flips.both_right,
                (false, false) => &mut flips.both_wrong,
                (false, true) => &mut flips.positive,
                (true, false) => {
                    flips.negative += 1;
                    match (right(zero), oracle.map(right)) {
                        (true, _) => &mut flips.adapter_caused,
                        (false, Some(false)) => &mut flips.backbone_caused,
                        (false, Some(true)) => &mut flips.recoverable,
                        (false, None) => &mut flips.unattributed,
                    }
                }
            };
            *kind += 1;
        }
        Some(flips)
    }

    /// `count` over all images, such as the negative-flip rate |old right ∧ new wrong| / N (Yan et
    /// al. 2021); `None` of no image.
    pub fn rate(&self, count: u64) -> Option<f64> {
        (self.images > 0).then(|| count as f64 / self.images as f64)
    }

    /// Backward trust compatibility, |both right| / |old right|; `None` where nothing was
    /// right.
    pub fn trust(&self) -> Option<f64> {
        share(self.both_right, self.both_right + self.negative)
    }

    /// Backward error compatibility, |both wrong| / |old wrong|; `None` where nothing was
    /// wrong.
    pub fn error_compatibility(&self) -> Option<f64> {
        share(self.both_wrong, self.both_wrong + self.positive)
    }

    /// NFI, negative flips over New's errors; `None` where New has no error.
    pub fn impact(&self) -> Option<f64> {
        share(self.negative, self.negative + self.both_wrong)
    }

    /// Negative flips relative to what independent errors would give, NFR / (Acc(old) ·
    /// (1 - Acc(new))); `None` where that is 0.
    pub fn relative(&self) -> Option<f64> {
        let n = self.images as f64;
        let right_before = (self.both_right + self.negative) as f64 / n;
        let wrong_after = (self.both_wrong + self.negative) as f64 / n;
        let independent = right_before * wrong_after;
        (independent > 0.0).then(|| self.negative as f64 / n / independent)
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl AddAssign for Flips {
    fn add_assign(&mut self, other: Self) {
        let Self {
            images,
            both_right,
            both_wrong,
            positive,
            negative,
            adapter_caused,
            backbone_caused,
            recoverable,
            unattributed,
        } = other;
        self.images += images;
        self.both_right += both_right;
        self.both_wrong += both_wrong;
        self.positive += positive;
        self.negative += negative;
        self.adapter_caused += adapter_caused;
        self.backbone_caused += backbone_caused;
        self.recoverable += recoverable;
        self.unattributed += unattributed;
    }
}

impl Add for Flips {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn condition(correct: &[bool]) -> Condition {
        let predictions: Vec<u32> = correct.iter().map(|c| u32::from(*c)).collect();
        Condition::from_predictions(&predictions, &vec![1; correct.len()], "", 0.0).unwrap()
    }

    /// Base, New, Z(t) and A(t→t), each image a row.
    fn conditions(images: &[(bool, bool, bool, bool)]) -> Conditions {
        let column = |pick: fn(&(bool, bool, bool, bool)) -> bool| {
            Some(condition(&images.iter().map(pick).collect::<Vec<_>>()))
        };
        Conditions {
            zero_source: None,
            base: column(|i| i.0),
            new: column(|i| i.1),
            zero_target: column(|i| i.2),
            oracle: column(|i| i.3),
        }
    }

    #[test]
    fn each_negative_flip_has_one_cause() {
        let (y, n) = (true, false);
        let mut measured = conditions(&[
            (y, n, y, y), // dropping the module fixes it
            (y, n, y, n), // so here
            (y, n, n, y), // only retraining does
            (y, n, n, n), // nothing does
            (n, y, n, n),
            (y, y, y, y),
            (n, n, y, y),
        ]);
        let flips = Flips::of(&measured).unwrap();
        let expected = Flips {
            images: 7,
            both_right: 1,
            both_wrong: 1,
            positive: 1,
            negative: 4,
            adapter_caused: 2,
            backbone_caused: 1,
            recoverable: 1,
            unattributed: 0,
        };
        assert_eq!(flips, expected);
        assert_eq!(flips.trust(), Some(0.2));
        assert_eq!(flips.error_compatibility(), Some(0.5));
        assert_eq!(flips.impact(), Some(0.8));
        // (4/7) / (5/7 · 5/7)
        assert!((flips.relative().unwrap() - 1.12).abs() < 1e-12);

        measured.oracle = None;
        let flips = Flips::of(&measured).unwrap();
        assert_eq!((flips.adapter_caused, flips.unattributed), (2, 2));
        measured.zero_target = None;
        assert_eq!(Flips::of(&measured), None);
    }

    #[test]
    fn empty_denominators_have_no_ratio() {
        let right = conditions(&[(true, true, true, true)]);
        let flips = Flips::of(&right).unwrap();
        assert_eq!(flips.error_compatibility(), None);
        assert_eq!((flips.impact(), flips.relative()), (None, None));
        assert_eq!(Flips::default().rate(0), None);
        assert_eq!(Flips::default().trust(), None);
    }

    proptest! {
        #[test]
        fn flips_explain_the_change_of_accuracy(
            images in prop::collection::vec(any::<(bool, bool)>(), 1..100),
        ) {
            let images: Vec<_> = images.iter().map(|(old, new)| (*old, *new, true, true)).collect();
            let measured = conditions(&images);
            let flips = Flips::of(&measured).unwrap();
            let won = flips.rate(flips.positive).unwrap();
            let lost = flips.rate(flips.negative).unwrap();
            let (old, new) = (measured.base.unwrap(), measured.new.unwrap());
            prop_assert!((won - lost - (new.accuracy - old.accuracy)).abs() < 1e-12);
        }

        #[test]
        fn the_parts_sum_to_the_negative_flip_rate(
            images in prop::collection::vec(any::<(bool, bool, bool, bool)>(), 1..60),
            retrained in any::<bool>(),
        ) {
            let mut measured = conditions(&images);
            if !retrained {
                measured.oracle = None;
            }
            let flips = Flips::of(&measured).unwrap();
            let parts = flips.adapter_caused
                + flips.backbone_caused
                + flips.recoverable
                + flips.unattributed;
            prop_assert_eq!(parts, flips.negative);
            let rate = flips.rate(flips.negative);
            let all = flips.both_right + flips.both_wrong + flips.positive + flips.negative;
            prop_assert_eq!(all, flips.images);
            // BTC = 1 - NFR / Acc(old)
            if let Some(trust) = flips.trust() {
                let old = measured.base.as_ref().unwrap().accuracy;
                prop_assert!((trust - (1.0 - rate.unwrap() / old)).abs() < 1e-12);
            }
            let places: Vec<usize> = (0..images.len()).collect();
            let (front, back) = places.split_at(images.len() / 2);
            let front = Flips::of_images(&measured, front).unwrap();
            let back = Flips::of_images(&measured, back).unwrap();
            prop_assert_eq!(front + back, flips);
        }
    }
}
