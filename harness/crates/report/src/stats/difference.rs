//! A paired difference of accuracies over seeds, with its two kinds of uncertainty.

use serde::Serialize;

use crate::condition::Condition;
use crate::stats::crossed::Crossed;
use crate::stats::estimate::{Estimate, mean};
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
    /// Mean over replicates; a fraction.
    pub value: f64,
    /// 95 % Tango interval.
    pub sampling: Interval,
    /// 95 % Student-t interval over replicates; `None` below three.
    pub seeds: Option<Interval>,
    /// The mean of each replicate: of a seed or, where there are several splits, of the
    /// trainings on one of them.
    pub means: Vec<f64>,
    /// The paired tables of each replicate, one a training.
    pub tables: Vec<Vec<Pairs>>,
    /// How an image's part in the difference hangs together.
    #[serde(flatten)]
    pub images: ImageScatter,
}

/// Shares of the variance that an image's difference has, all in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ImageScatter {
    /// What is the same for every replicate.
    pub image_correlation: f64,
    /// The variance of the mean of a replicate's trainings over that of one training; 1 where
    /// each replicate is one training.
    pub averaging: f64,
}

impl Difference {
    /// Of `(new, old)` of each training, by replicate; `None` of none, and when the two of a
    /// pair are not over the same number of images.
    pub fn of(replicates: &[Vec<(&Condition, &Condition)>]) -> Option<Self> {
        let tables = replicates.iter().map(|trainings| {
            let tables = trainings.iter().map(|(new, old)| Pairs::of(new, old));
            tables.collect::<Option<Vec<Pairs>>>()
        });
        let mut difference = Self::of_tables(tables.collect::<Option<Vec<_>>>()?)?;
        difference.images = ImageScatter::of(replicates);
        Some(difference)
    }

    /// Of the paired table of each seed, with seeds that differ on the same images; `None` of
    /// no seed.
    pub fn of_pairs(per_seed: Vec<Pairs>) -> Option<Self> {
        Self::of_tables(per_seed.into_iter().map(|one| vec![one]).collect())
    }

    fn of_tables(tables: Vec<Vec<Pairs>>) -> Option<Self> {
        let means = tables.iter().map(|trainings| {
            let values: Vec<f64> = trainings.iter().map(Pairs::difference).collect();
            mean(&values)
        });
        let means = means.collect::<Option<Vec<f64>>>()?;
        let estimate = Estimate::of(&means)?;
        Some(Self {
            value: estimate.mean,
            sampling: tango_interval(&tables.concat(), LEVEL)?,
            seeds: estimate.half_width.map(|half| Interval {
                low: estimate.mean - half,
                high: estimate.mean + half,
            }),
            means,
            tables,
            images: ImageScatter {
                image_correlation: 1.0,
                averaging: 1.0,
            },
        })
    }

    /// The paired tables of all trainings.
    pub fn pairs(&self) -> impl Iterator<Item = &Pairs> {
        self.tables.iter().flatten()
    }

    /// Tango's score variance of one replicate's difference, if the true difference were `bound`:
    /// that of one training, times what averaging over its trainings leaves.
    fn score_variance(&self, bound: f64) -> f64 {
        // At the value itself the score is 0, and so is the distance that it counts.
        let bound = if (self.value - bound).abs() < 1e-9 {
            bound - 1e-6
        } else {
            bound
        };
        let scores = self.tables.iter();
        let scores = scores.map(|trainings| mean_tango_score(trainings, bound));
        let score = scores.sum::<f64>() / self.tables.len() as f64;
        self.images.averaging * ((self.value - bound) / score).powi(2)
    }

    /// Whether no image changed its side under any seed.
    pub fn is_unchanged(&self) -> bool {
        self.pairs().all(Pairs::is_unchanged)
    }
}

impl Crossed for Difference {
    fn seed_means(&self) -> Vec<f64> {
        self.means.clone()
    }

    /// Tango's score variance, which holds its level for small counts, times the part of it
    /// that images keep from replicate to replicate (the intraclass correlation of a two-way analysis of
    /// variance, Shrout and Fleiss 1979). How far the value lies from `bound` in the score's
    /// standard errors gives the standard error.
    fn image_variance(&self, bound: f64) -> f64 {
        self.images.image_correlation * self.score_variance(bound)
    }

    fn independent_variance(&self, bound: f64) -> f64 {
        (1.0 - self.images.image_correlation) * self.score_variance(bound) / self.means.len() as f64
    }

    fn range(&self) -> Interval {
        Interval {
            low: -1.0,
            high: 1.0,
        }
    }
}

impl ImageScatter {
    /// Correlation 1 of a single replicate and where no image changed.
    fn of(replicates: &[Vec<(&Condition, &Condition)>]) -> Self {
        let first = replicates.first().and_then(|trainings| trainings.first());
        let total = first.map_or(0, |(new, _)| usize::try_from(new.total).unwrap_or(0));
        let all: Vec<Replicate> = replicates
            .iter()
            .map(|trainings| Replicate::of(trainings, total))
            .collect();
        let averaged: f64 = all.iter().map(|one| one.centred).sum();
        let alone: f64 = all.iter().map(|one| one.alone).sum();
        Self {
            image_correlation: image_correlation(&all, total as f64),
            averaging: match alone > 0.0 {
                true => averaged / alone,
                false => 1.0,
            },
        }
    }
}

/// The images of a replicate.
struct Replicate {
    /// By image, the mean difference over the trainings.
    images: Vec<f64>,
    /// Its sum over images, and the sum of its squares.
    sum: f64,
    squares: f64,
    /// The sum of squares about its mean.
    centred: f64,
    /// The same of one training, mean over the trainings.
    alone: f64,
}

impl Replicate {
    fn of(trainings: &[(&Condition, &Condition)], total: usize) -> Self {
        let (count, images) = (trainings.len() as f64, total as f64);
        let mut sums = vec![0i64; total];
        let mut alone = 0.0;
        for (new, old) in trainings {
            let now = new.correct_bitmap.iter(total);
            let (mut own, mut squares) = (0, 0);
            for (sum, (now, before)) in sums.iter_mut().zip(now.zip(old.correct_bitmap.iter(total)))
            {
                let difference = i64::from(now) - i64::from(before);
                *sum += difference;
                own += difference;
                squares += difference.abs();
            }
            alone += squares as f64 - (own * own) as f64 / images;
        }
        let means: Vec<f64> = sums.iter().map(|sum| *sum as f64 / count).collect();
        let sum: f64 = means.iter().sum();
        let squares = means.iter().map(|mean| mean * mean).sum::<f64>();
        Self {
            images: means,
            sum,
            squares,
            centred: squares - sum * sum / images,
            alone: alone / count,
        }
    }
}

/// The share of the variance of an image's difference that it keeps from replicate to replicate.
fn image_correlation(replicates: &[Replicate], images: f64) -> f64 {
    let count = replicates.len() as f64;
    if count < 2.0 || images < 2.0 {
        return 1.0;
    }
    let mut sums = vec![0.0; images as usize];
    for one in replicates {
        for (sum, own) in sums.iter_mut().zip(&one.images) {
            *sum += own;
        }
    }
    let all: f64 = sums.iter().sum();
    let squares: f64 = replicates.iter().map(|one| one.squares).sum();
    let seed_squares: f64 = replicates.iter().map(|one| one.sum * one.sum).sum();
    let correction = all * all / (images * count);
    let image_squares: f64 = sums.iter().map(|sum| sum * sum).sum();
    let between_images = image_squares / count - correction;
    let between_seeds = seed_squares / images - correction;
    let rest = squares - correction - between_images - between_seeds;
    let image_mean = between_images / (images - 1.0);
    let rest_mean = rest.max(0.0) / ((images - 1.0) * (count - 1.0));
    let whole = image_mean + (count - 1.0) * rest_mean;
    if whole <= 0.0 {
        return 1.0;
    }
    ((image_mean - rest_mean) / whole).clamp(0.0, 1.0)
}
