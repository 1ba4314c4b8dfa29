//! A paired difference of accuracies over seeds, with its two kinds of uncertainty.

use serde::Serialize;

use crate::condition::Condition;
use crate::stats::crossed::Crossed;
use crate::stats::estimate::Estimate;
use crate::stats::interval::Interval;
use crate::stats::pairs::Pairs;
use crate::stats::tango::{mean_tango_score, tango_interval};

/// Level of every interval that is shown.
pub const LEVEL: f64 = 0.95;

/// `new - old` on one data set, its mean over seeds.
///
/// The two intervals answer different questions and are never added up. The
/// *sampling* interval: these modules, other test images. The *seed* interval: these test
/// images, other draws of the training images. A claim counts only where both bear it
/// ([`Difference::low`], [`Difference::high`]).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Mean over seeds; a fraction.
    pub value: f64,
    /// 95 % Tango interval.
    pub sampling: Interval,
    /// 95 % Student-t interval over seeds; `None` below two.
    pub seeds: Option<Interval>,
    /// The paired table of each seed.
    pub per_seed: Vec<Pairs>,
    /// How much of an image's part in the difference is the same for every seed, in [0, 1].
    pub image_correlation: f64,
}

impl Difference {
    /// Of `(new, old)` for each seed; `None` of no seed, and when the two of a pair are
    /// not over the same number of images.
    pub fn of(seeds: &[(&Condition, &Condition)]) -> Option<Self> {
        let tables = seeds.iter().map(|(new, old)| Pairs::of(new, old));
        let mut difference = Self::of_pairs(tables.collect::<Option<Vec<Pairs>>>()?)?;
        difference.image_correlation = image_correlation(seeds);
        Some(difference)
    }

    /// Of the paired table of each seed, with seeds that differ on the same images; `None` of
    /// no seed.
    pub fn of_pairs(per_seed: Vec<Pairs>) -> Option<Self> {
        let values: Vec<f64> = per_seed.iter().map(Pairs::difference).collect();
        let estimate = Estimate::of(&values)?;
        Some(Self {
            value: estimate.mean,
            sampling: tango_interval(&per_seed, LEVEL)?,
            seeds: estimate.half_width.map(|half| Interval {
                low: estimate.mean - half,
                high: estimate.mean + half,
            }),
            per_seed,
            image_correlation: 1.0,
        })
    }

    /// Tango's score variance of one seed's difference, if the true difference were `bound`.
    fn score_variance(&self, bound: f64) -> f64 {
        // At the value itself the score is 0, and so is the distance that it counts.
        let bound = if (self.value - bound).abs() < 1e-9 {
            bound - 1e-6
        } else {
            bound
        };
        let score = mean_tango_score(&self.per_seed, bound);
        ((self.value - bound) / score).powi(2)
    }

    /// Whether no image changed its side under any seed.
    pub fn is_unchanged(&self) -> bool {
        self.per_seed.iter().all(Pairs::is_unchanged)
    }
}

impl Crossed for Difference {
    fn seed_means(&self) -> Vec<f64> {
        self.per_seed.iter().map(Pairs::difference).collect()
    }

    /// Tango's score variance, which holds its level for small counts, times the part of it
    /// that images keep from seed to seed (the intraclass correlation of a two-way analysis of
    /// variance, Shrout and Fleiss 1979). How far the value lies from `bound` in the score's
    /// standard errors gives the standard error.
    fn image_variance(&self, bound: f64) -> f64 {
        self.image_correlation * self.score_variance(bound)
    }

    fn independent_variance(&self, bound: f64) -> f64 {
        (1.0 - self.image_correlation) * self.score_variance(bound) / self.per_seed.len() as f64
    }

    fn range(&self) -> Interval {
        Interval {
            low: -1.0,
            high: 1.0,
        }
    }
}

/// The share of the variance of an image's difference that it keeps from seed to seed, in
/// [0, 1]; 1 of a single seed and where no image changed.
fn image_correlation(seeds: &[(&Condition, &Condition)]) -> f64 {
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
