//! Images and seeds as crossed sources of error: the interval and the one-sided p-values of
//! a quantity that a decision rests on.
//!
//! `d(s, i) = μ + seed(s) + image(i) + both(s, i)`. The variance of the mean over S seeds and I
//! images is `σ²seed / S + σ²image / I + σ²both / (S·I)`. The variance of the seeds' means
//! estimates the first and the third term together, the images' part is estimated apart.
//!
//! Satterthwaite's degrees of freedom do not hold their level here: where seeds happen to agree,
//! their part seems small and the degrees of freedom seem many. From three seeds on, the seeds'
//! degrees of freedom grow with the total's share of the seeds' part, not its square, and that
//! part counts no less than is typical; of two seeds they stay what they are.
//!
//! One seed has the second term alone: what is claimed then holds for these modules, and says
//! nothing about modules trained again.

use crate::stats::bisect::bisect;
use crate::stats::estimate::standard_deviation;
use crate::stats::interval::Interval;
use crate::stats::moderated::{SampleVariance, VariancePrior};
use crate::stats::student::student_upper_tail;

/// A mean over images and seeds whose error has both sources.
pub trait Crossed {
    /// The mean of each seed, over its images.
    fn seed_means(&self) -> Vec<f64>;

    /// The images' part in the variance of the mean over seeds, if the true mean were `bound`.
    fn image_variance(&self, bound: f64) -> f64;

    /// What the images alone bring into the variance of the seeds' mean, where they keep nothing
    /// from seed to seed: seeds that happen to agree do not make less.
    fn independent_variance(&self, bound: f64) -> f64;

    /// The lowest and the highest mean that are possible.
    fn range(&self) -> Interval;

    /// The variance of one seed's mean, with S - 1 degrees of freedom; `None` below two
    /// seeds. Over many alike quantities they make a [`VariancePrior`].
    fn seed_variance(&self) -> Option<SampleVariance> {
        let means = self.seed_means();
        Some(SampleVariance {
            value: standard_deviation(&means)?.powi(2),
            freedom: (means.len() - 1) as f64,
        })
    }

    /// The variances of the mean over seeds that the images and the seeds bring if the true
    /// mean were `bound`, the latter moderated by `prior` and with its degrees of freedom.
    fn variance_parts(&self, bound: f64, prior: Option<&VariancePrior>) -> VarianceParts {
        let count = self.seed_means().len() as f64;
        let seeds = self.seed_variance().map(|own| match prior {
            Some(prior) => prior.moderate(own),
            None => own,
        });
        let images = self.image_variance(bound);
        let typical = prior.map_or(0.0, |prior| prior.variance);
        VarianceParts {
            images,
            seeds: seeds.map_or(0.0, |all| {
                (all.value / count).max(self.independent_variance(bound))
            }),
            freedom: seeds.map_or(f64::INFINITY, |all| {
                let seeds = all.value.max(typical) / count;
                match count {
                    3.0.. if seeds > 0.0 => all.freedom * (images + seeds) / seeds,
                    _ => all.freedom,
                }
            }),
        }
    }

    /// One-sided p-value of "above `bound`": small when the mean is shown to be.
    fn p_above(&self, bound: f64, prior: Option<&VariancePrior>) -> f64 {
        let means = self.seed_means();
        let mean = means.iter().sum::<f64>() / means.len() as f64;
        self.variance_parts(bound, prior).upper_tail(mean - bound)
    }

    /// One-sided p-value of "below `bound`".
    fn p_below(&self, bound: f64, prior: Option<&VariancePrior>) -> f64 {
        let means = self.seed_means();
        let mean = means.iter().sum::<f64>() / means.len() as f64;
        self.variance_parts(bound, prior).upper_tail(bound - mean)
    }

    /// The two-sided interval at `level`, such as 0.95: the means that neither one-sided
    /// test refutes. It lies within what is possible.
    fn interval(&self, level: f64, prior: Option<&VariancePrior>) -> Interval {
        let tail = (1.0 - level) / 2.0;
        let range = self.range();
        Interval {
            low: bisect(range.low, range.high, |bound| {
                self.p_above(bound, prior) < tail
            }),
            high: bisect(range.low, range.high, |bound| {
                self.p_below(bound, prior) >= tail
            }),
        }
    }
}

/// The two parts of the variance of a mean over seeds and images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VarianceParts {
    pub images: f64,
    /// 0 of a single seed.
    pub seeds: f64,
    /// Degrees of freedom of both together; infinite of a single seed.
    pub freedom: f64,
}

impl VarianceParts {
    /// P(T > distance / standard error).
    fn upper_tail(&self, distance: f64) -> f64 {
        if distance == 0.0 {
            return 0.5;
        }
        let total = self.images + self.seeds;
        if total == 0.0 {
            return if distance > 0.0 { 0.0 } else { 1.0 };
        }
        student_upper_tail(distance / total.sqrt(), self.freedom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::condition::Condition;
    use crate::stats::difference::Difference;

    fn condition(correct: &[bool]) -> Condition {
        let predictions: Vec<u32> = correct.iter().map(|one| u32::from(*one)).collect();
        Condition::from_predictions(&predictions, &vec![1; correct.len()], "", 0.0).unwrap()
    }

    /// Seeds of `(new, old)` over the same images, each image gained (1), lost (2) or unchanged.
    fn difference(seeds: &[Vec<u8>]) -> Difference {
        let conditions: Vec<(Condition, Condition)> = seeds
            .iter()
            .map(|images| {
                let new: Vec<bool> = images.iter().map(|one| *one == 1).collect();
                let old: Vec<bool> = images.iter().map(|one| *one == 2).collect();
                (condition(&new), condition(&old))
            })
            .collect();
        let pairs: Vec<Vec<(&Condition, &Condition)>> = conditions
            .iter()
            .map(|(new, old)| vec![(new, old)])
            .collect();
        Difference::of(&pairs).unwrap()
    }

    #[test]
    fn images_that_flip_under_every_seed_are_correlated_and_others_are_not() {
        let one: Vec<u8> = (0..400).map(|i| u8::from(i % 4 == 0)).collect();
        assert!(
            (difference(&[one.clone(), one.clone()])
                .images
                .image_correlation
                - 1.0)
                .abs()
                < 1e-12
        );
        let turned: Vec<u8> = (0..400).map(|i| u8::from(i % 4 == 1)).collect();
        assert_eq!(
            difference(&[one.clone(), turned]).images.image_correlation,
            0.0
        );
        assert_eq!(difference(&[one]).images.image_correlation, 1.0);
    }

    // With NumPy, two-way analysis of variance of the means over two trainings.
    #[test]
    fn trainings_on_a_split_are_averaged_first() {
        let rows: [[[i8; 8]; 2]; 2] = [
            [[1, 0, 0, -1, 0, 1, 0, 0], [1, 1, 0, 0, 0, 1, 0, -1]],
            [[1, 0, 1, 0, 0, 0, 0, 0], [0, 0, 1, -1, 0, 1, 0, 0]],
        ];
        let side = |row: &[i8; 8], sign| condition(&row.map(|one| one == sign));
        let sides = rows.map(|split| split.map(|row| (side(&row, 1), side(&row, -1))));
        let replicates: Vec<Vec<(&Condition, &Condition)>> = sides
            .iter()
            .map(|split| split.iter().map(|(new, old)| (new, old)).collect())
            .collect();
        let found = Difference::of(&replicates).unwrap();
        assert_eq!(
            (found.value, &*found.means),
            (0.1875, &[0.1875, 0.1875][..])
        );
        assert!((found.images.averaging - 0.732_558_139_534_883_7).abs() < 1e-12);
        assert!((found.images.image_correlation - 0.492_063_492_063_492_1).abs() < 1e-12);
    }

    #[test]
    fn one_seed_is_tango_s_interval() {
        let images: Vec<u8> = (0..200).map(|i| [1, 2, 0, 0, 1][i % 5]).collect();
        let one = difference(&[images]);
        let found = one.interval(0.95, None);
        assert!((found.low - one.sampling.low).abs() < 1e-9);
        assert!((found.high - one.sampling.high).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn intervals_hold_the_value_and_stay_within_what_is_possible(
            seeds in prop::collection::vec(prop::collection::vec(0u8..3, 30), 1..5),
        ) {
            let one = difference(&seeds);
            let interval = one.interval(0.95, None);
            prop_assert!(-1.0 <= interval.low && interval.high <= 1.0);
            prop_assert!(interval.contains(one.value));
            let wider = one.interval(0.99, None);
            prop_assert!(wider.low <= interval.low && interval.high <= wider.high);
        }
    }
}
