//! What would turn an open claim into a shown one.

use serde::Serialize;

use crate::analysis::effect::Effect;
use crate::stats::{student_critical, student_quantile};

/// The test images or seeds at which a measured difference would be told apart from a bound, if
/// it and its scatter stayed what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deciding {
    /// More of one of the two, or of the other; `None` where that alone does not decide.
    Either {
        images: Option<u64>,
        seeds: Option<u64>,
    },
    /// More of both.
    Both { images: u64, seeds: u64 },
}

/// More test images than this are as good as never.
const MOST_IMAGES: u64 = 10_000_000;
/// And more seeds.
const MOST_SEEDS: u64 = 1000;

/// A data set's size and the error that a claim may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) images: u64,
    pub(super) seeds: u64,
    /// One-sided, of one claim among its family.
    pub(super) alpha: f64,
}

impl Deciding {
    /// `None` when no amount of data decides: `distance`, from the measured value to the bound,
    /// is too small.
    pub(super) fn of(effect: &Effect, distance: f64, size: Size) -> Option<Self> {
        let parts = effect.parts;
        let is_enough = |images: u64, seeds: u64| {
            let of_images = parts.images * size.images as f64 / images as f64;
            let of_seeds = parts.seeds * size.seeds as f64 / seeds as f64;
            let total = of_images + of_seeds;
            let freedom = parts.freedom + (seeds - size.seeds) as f64;
            student_critical(size.alpha, freedom)
                .is_some_and(|critical| critical * total.sqrt() <= distance.abs())
        };
        let images = |seeds| fewest(size.images, MOST_IMAGES, |images| is_enough(images, seeds));
        let seeds = || {
            fewest(size.seeds, MOST_SEEDS, |seeds| {
                is_enough(size.images, seeds)
            })
        };
        let (images_alone, seeds_alone) = match size.seeds {
            // One seed has no scatter: more of them is another question.
            1 => (images(1), None),
            own => (images(own), seeds()),
        };
        if images_alone.is_some() || seeds_alone.is_some() {
            return Some(Self::Either {
                images: images_alone,
                seeds: seeds_alone,
            });
        }
        // Where neither does alone: seeds for half of the variance, images for the rest.
        let half = std::f64::consts::FRAC_1_SQRT_2;
        let seeds = fewest(size.seeds, MOST_SEEDS, |seeds| {
            let of_seeds = parts.seeds * size.seeds as f64 / seeds as f64;
            let freedom = parts.freedom + (seeds - size.seeds) as f64;
            let critical = student_quantile(1.0 - size.alpha, freedom);
            critical.is_some_and(|t| t * of_seeds.sqrt() <= distance.abs() * half)
        })
        .filter(|_| size.seeds > 1)?;
        Some(Self::Both {
            images: images(seeds)?,
            seeds,
        })
    }
}

/// The smallest number from `least` to `most` that is enough, where every larger one is too.
fn fewest(least: u64, most: u64, is_enough: impl Fn(u64) -> bool) -> Option<u64> {
    if !is_enough(most) {
        return None;
    }
    let (mut low, mut high) = (least.saturating_sub(1), most);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if middle < least || !is_enough(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}
