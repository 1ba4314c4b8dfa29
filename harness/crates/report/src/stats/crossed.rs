//! Images and seeds as crossed sources of error: the interval and the one-sided p-values of
//! a difference that a decision rests on.
//!
//! `d(s, i) = μ + seed(s) + image(i) + both(s, i)`. The variance of the mean over S seeds and I
//! images is `σ²seed / S + σ²image / I + σ²both / (S·I)`. The variance of the seeds' means
//! estimates the first and the third term together. The second is Tango's score variance,
//! which holds its level for small counts, times the part of it that images keep from seed to
//! seed (the intraclass correlation of a two-way analysis of variance, Shrout and Fleiss 1979).
//! The degrees of freedom are Satterthwaite's.
//!
//! One seed has the second term alone, with a correlation of 1: what is claimed then holds
//! for these modules, and says nothing about modules trained again.

use crate::condition::Condition;
use crate::stats::bisect::bisect;
use crate::stats::difference::Difference;
use crate::stats::estimate::standard_deviation;
use crate::stats::interval::Interval;
use crate::stats::moderated::{SampleVariance, VariancePrior};
use crate::stats::normal::normal_upper_tail;
use crate::stats::pairs::Pairs;
use crate::stats::student::student_cdf;
use crate::stats::tango::mean_tango_score;

impl Difference {
    /// The variance of one seed's difference, with S - 1 degrees of freedom; `None` below two
    /// seeds. Over many differences they make a [`VariancePrior`].
    pub fn seed_variance(&self) -> Option<SampleVariance> {
        let values: Vec<f64> = self.per_seed.iter().map(Pairs::difference).collect();
        Some(SampleVariance {
            value: standard_deviation(&values)?.powi(2),
            freedom: (values.len() - 1) as f64,
        })
    }

    /// The part of the mean's variance that the test images make, if the difference were `bound`.
    pub(crate) fn image_variance(&self, bound: f64) -> f64 {
        let above = self.value - bound;
        // At the value itself the score is 0, and so is the distance that it counts.
        let bound = if above.abs() < 1e-9 {
            bound - 1e-6
        } else {
            bound
        };
        let score = mean_tango_score(&self.per_seed, bound);
        self.image_correlation * ((self.value - bound) / score).powi(2)
    }

    /// One-sided p-value of "above `bound`": small when the difference is shown to be.
    pub fn p_above(&self, bound: f64, prior: Option<&VariancePrior>) -> f64 {
        let image_score = mean_tango_score(&self.per_seed, bound);
        let above = self.value - bound;
        if above == 0.0 {
            return 0.5;
        }
        // How far it lies in the images' standard errors gives the standard error.
        let one_seed = (above / image_score).powi(2);
        let images = self.image_correlation * one_seed;
        let seeds = self.seed_variance().map(|own| match prior {
            Some(prior) => prior.moderate(own),
            None => own,
        });
        let count = self.per_seed.len() as f64;
        let (seeds, freedom) =
            seeds.map_or((0.0, f64::INFINITY), |all| (all.value / count, all.freedom));
        // Seeds that happen to agree do not make less than what their images alone make.
        let independent = (1.0 - self.image_correlation) * one_seed / count;
        let total = images + seeds.max(independent);
        if total == 0.0 {
            return if above > 0.0 { 0.0 } else { 1.0 };
        }
        let freedom = freedom * (total / seeds).powi(2);
        upper_tail(above / total.sqrt(), freedom)
    }

    /// One-sided p-value of "below `bound`".
    pub fn p_below(&self, bound: f64, prior: Option<&VariancePrior>) -> f64 {
        1.0 - self.p_above(bound, prior)
    }

    /// The two-sided interval at `level`, such as 0.95: the differences that neither one-sided
    /// test refutes. It lies within [-1, 1].
    pub fn interval(&self, level: f64, prior: Option<&VariancePrior>) -> Interval {
        let tail = (1.0 - level) / 2.0;
        Interval {
            low: bisect(-1.0, 1.0, |bound| self.p_above(bound, prior) < tail),
            high: bisect(-1.0, 1.0, |bound| self.p_below(bound, prior) >= tail),
        }
    }
}

/// P(T > t); the normal distribution's where the degrees of freedom have no end.
fn upper_tail(t: f64, freedom: f64) -> f64 {
    match student_cdf(-t, freedom) {
        Some(p) if freedom < 1e6 => p,
        _ => normal_upper_tail(t),
    }
}

/// The share of the variance of an image's difference that it keeps from seed to seed, in
/// [0, 1]; 1 of a single seed and where no image changed.
pub(super) fn image_correlation(seeds: &[(&Condition, &Condition)]) -> f64 {
    let Some((first, _)) = seeds.first().filter(|_| seeds.len() > 1) else {
        return 1.0;
    };
    let Ok(total) = usize::try_from(first.total) else {
        return 1.0;
    };
    let mut sums = vec![0i64; total];
    let (mut squares, mut seed_squares) = (0i64, 0.0);
    for (new, old) in seeds {
        let now = new.correct_bitmap.iter(total);
        let mut own = 0;
        for (sum, (now, before)) in sums.iter_mut().zip(now.zip(old.correct_bitmap.iter(total))) {
            let difference = i64::from(now) - i64::from(before);
            *sum += difference;
            own += difference;
            squares += difference.abs();
        }
        seed_squares += (own * own) as f64;
    }
    let (images, count) = (total as f64, seeds.len() as f64);
    if images < 2.0 {
        return 1.0;
    }
    let all: i64 = sums.iter().sum();
    let correction = (all * all) as f64 / (images * count);
    let image_squares: i64 = sums.iter().map(|sum| sum * sum).sum();
    let between_images = image_squares as f64 / count - correction;
    let between_seeds = seed_squares / images - correction;
    let rest = squares as f64 - correction - between_images - between_seeds;
    let image_mean = between_images / (images - 1.0);
    let rest_mean = rest.max(0.0) / ((images - 1.0) * (count - 1.0));
    let whole = image_mean + (count - 1.0) * rest_mean;
    if whole <= 0.0 {
        return 1.0;
    }
    ((image_mean - rest_mean) / whole).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        let pairs: Vec<(&Condition, &Condition)> =
            conditions.iter().map(|(new, old)| (new, old)).collect();
        Difference::of(&pairs).unwrap()
    }

    #[test]
    fn images_that_flip_under_every_seed_are_correlated_and_others_are_not() {
        let one: Vec<u8> = (0..400).map(|i| u8::from(i % 4 == 0)).collect();
        assert!((difference(&[one.clone(), one.clone()]).image_correlation - 1.0).abs() < 1e-12);
        let turned: Vec<u8> = (0..400).map(|i| u8::from(i % 4 == 1)).collect();
        assert_eq!(difference(&[one.clone(), turned]).image_correlation, 0.0);
        assert_eq!(difference(&[one]).image_correlation, 1.0);
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
