//! What is left of one paired difference after a share of another is taken away:
//! `(a - b) - ρ (c - d)` on the same images and seeds.
//!
//! With ρ = 1 it is the change of a gain. The ρ at which it is not told apart from 0 make
//! Fieller's interval of the ratio `(a - b) / (c - d)` (Fieller 1954).

use crate::condition::Condition;
use crate::stats::bisect::bisect;
use crate::stats::crossed::Crossed;
use crate::stats::interval::Interval;
use crate::stats::moderated::VariancePrior;

/// Images that are counted as differing by one on top of those measured, so that a difference
/// without any has a width: about what a score interval at 95 % adds (Agresti and Coull 1998).
const PSEUDO_IMAGES: f64 = 4.0;

/// A ratio beyond it says no more than that the denominator is small.
const LARGEST_RATIO: f64 = 100.0;

/// Two differences on the same images, or the mean of such pairs over data sets: the sums that any
/// combination of them is tested by.
#[derive(Clone, Debug, PartialEq)]
pub struct Contrast {
    /// By seed, the means over images of the first and of the second difference.
    means: Vec<[f64; 2]>,
    /// One a data set.
    tables: Vec<Sums>,
}

/// The sums of a data set, each of the squares of the first, the products, the squares of the
/// second difference.
#[derive(Clone, Debug, PartialEq)]
struct Sums {
    images: f64,
    /// By seed, the means over images of both differences.
    means: Vec<[f64; 2]>,
    /// Over images and seeds.
    all: [f64; 3],
    /// Of each image's sums over seeds, over images.
    by_image: [f64; 3],
}

/// The conditions of one training: `[a, b, c, d]` of `(a - b) - ρ (c - d)`.
pub type Four<'c> = [&'c Condition; 4];

impl Contrast {
    /// Of the conditions of each training, by replicate; `None` of none, below two images, and
    /// when the conditions are not over the same number of images.
    pub fn of(replicates: &[Vec<Four<'_>>]) -> Option<Self> {
        let images = replicates.first()?.first()?[0].total;
        let mut conditions = replicates.iter().flatten().flatten();
        if images < 2 || conditions.any(|one| one.total != images) {
            return None;
        }
        let count = usize::try_from(images).ok()?;
        let mut sums = vec![[0.0; 2]; count];
        let mut all = [0.0; 3];
        let mut means = Vec::with_capacity(replicates.len());
        for trainings in replicates {
            let mut own = [0.0; 2];
            for (sum, [x, y]) in sums.iter_mut().zip(mean_differences(trainings, count)) {
                sum[0] += x;
                sum[1] += y;
                own[0] += x;
                own[1] += y;
                for (total, product) in all.iter_mut().zip([x * x, x * y, y * y]) {
                    *total += product;
                }
            }
            means.push(own.map(|sum| sum / images as f64));
        }
        let mut by_image = [0.0; 3];
        for [x, y] in sums {
            for (total, product) in by_image.iter_mut().zip([x * x, x * y, y * y]) {
                *total += product;
            }
        }
        Some(Self {
            means: means.clone(),
            tables: vec![Sums {
                images: images as f64,
                means,
                all,
                by_image,
            }],
        })
    }

    /// The mean over data sets; `None` of none and unless all have the same number of seeds.
    pub fn mean(contrasts: &[&Self]) -> Option<Self> {
        let count = contrasts.len() as f64;
        let mut means = vec![[0.0; 2]; contrasts.first()?.means.len()];
        for contrast in contrasts {
            if contrast.means.len() != means.len() {
                return None;
            }
            for (mean, own) in means.iter_mut().zip(&contrast.means) {
                mean[0] += own[0] / count;
                mean[1] += own[1] / count;
            }
        }
        let tables = contrasts.iter().flat_map(|one| one.tables.clone());
        Some(Self {
            means,
            tables: tables.collect(),
        })
    }

    /// The first difference less `share` of the second.
    pub fn less(&self, share: f64) -> Combination<'_> {
        Combination { of: self, share }
    }

    /// The first difference over the second, means over seeds.
    pub fn ratio(&self) -> f64 {
        let sum = |at: usize| self.means.iter().map(|mean| mean[at]).sum::<f64>();
        sum(0) / sum(1)
    }

    /// Fieller's interval of [`Contrast::ratio`] at `level`; `None` where it has no end, which
    /// is where the second difference is not told apart from 0. `priors` are of the seeds'
    /// variances of the first and of the second difference.
    pub fn ratio_interval(
        &self,
        level: f64,
        priors: Option<(&VariancePrior, &VariancePrior)>,
    ) -> Option<Interval> {
        let tail = (1.0 - level) / 2.0;
        let ratio = self.ratio();
        if !ratio.is_finite() || ratio.abs() >= LARGEST_RATIO {
            return None;
        }
        let is_outside = |share: f64| {
            // As if the two scattered apart, which is wide where they scatter together.
            let prior = priors.map(|(first, second)| VariancePrior {
                variance: first.variance + share * share * second.variance,
                freedom: first.freedom.min(second.freedom),
                pooled: first.pooled.min(second.pooled),
            });
            let rest = self.less(share);
            rest.p_above(0.0, prior.as_ref()) < tail || rest.p_below(0.0, prior.as_ref()) < tail
        };
        if !is_outside(-LARGEST_RATIO) || !is_outside(LARGEST_RATIO) {
            return None;
        }
        Some(Interval {
            low: bisect(-LARGEST_RATIO, ratio, is_outside),
            high: bisect(ratio, LARGEST_RATIO, |share| !is_outside(share)),
        })
    }
}

/// By image, both differences, means over the trainings of a replicate.
fn mean_differences(trainings: &[Four<'_>], count: usize) -> Vec<[f64; 2]> {
    let mut sums = vec![[0i32; 2]; count];
    for [a, b, c, d] in trainings {
        let first = a
            .correct_bitmap
            .iter(count)
            .zip(b.correct_bitmap.iter(count));
        let second = c
            .correct_bitmap
            .iter(count)
            .zip(d.correct_bitmap.iter(count));
        for (sum, ((a, b), (c, d))) in sums.iter_mut().zip(first.zip(second)) {
            sum[0] += i32::from(a) - i32::from(b);
            sum[1] += i32::from(c) - i32::from(d);
        }
    }
    let trainings = trainings.len() as f64;
    sums.iter()
        .map(|sum| sum.map(|sum| f64::from(sum) / trainings))
        .collect()
}

/// `(a - b) - share (c - d)`.
#[derive(Clone, Copy, Debug)]
pub struct Combination<'c> {
    of: &'c Contrast,
    share: f64,
}

impl Combination<'_> {
    /// The mean over seeds.
    pub fn value(&self) -> f64 {
        let means = self.seed_means();
        means.iter().sum::<f64>() / means.len() as f64
    }

    fn square(&self, [xx, xy, yy]: [f64; 3]) -> f64 {
        xx - 2.0 * self.share * xy + self.share * self.share * yy
    }

    fn means_of(&self, means: &[[f64; 2]]) -> Vec<f64> {
        let means = means.iter();
        means
            .map(|[first, second]| first - self.share * second)
            .collect()
    }

    /// The images' component of a two-way analysis of variance on one data set, over its images.
    fn variance_on(&self, of: &Sums) -> f64 {
        let (images, means) = (of.images, self.means_of(&of.means));
        let seeds = means.len() as f64;
        let total: f64 = means.iter().map(|mean| mean * images).sum();
        let correction = total * total / (images * seeds);
        let between_images = self.square(of.by_image) / seeds - correction;
        let image_mean = between_images / (images - 1.0);
        let component = if seeds > 1.0 {
            let seed_squares: f64 = means.iter().map(|mean| (mean * images).powi(2)).sum();
            let between_seeds = seed_squares / images - correction;
            let rest = self.square(of.all) - correction - between_images - between_seeds;
            let rest_mean = rest.max(0.0) / ((images - 1.0) * (seeds - 1.0));
            (image_mean - rest_mean) / seeds
        } else {
            image_mean
        };
        let pseudo = PSEUDO_IMAGES * (1.0 + self.share * self.share) / images;
        (component.max(0.0) + pseudo) / images
    }
}

impl Crossed for Combination<'_> {
    fn seed_means(&self) -> Vec<f64> {
        self.means_of(&self.of.means)
    }

    /// Whatever the true mean is. Of several data sets that of their mean standard error: right
    /// where their images hang together, as those of shifted test sets do, wide elsewhere.
    fn image_variance(&self, _: f64) -> f64 {
        let tables = self.of.tables.iter();
        let errors = tables.map(|table| self.variance_on(table).sqrt());
        (errors.sum::<f64>() / self.of.tables.len() as f64).powi(2)
    }

    /// The variance over images is that of the mean over seeds, so that it holds this part.
    fn independent_variance(&self, _: f64) -> f64 {
        0.0
    }

    fn range(&self) -> Interval {
        let most = 1.0 + self.share.abs();
        Interval {
            low: -most,
            high: most,
        }
    }
}
