//! The percentile bootstrap (Efron 1979).

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::stats::interval::Interval;

/// Resamples of an interval.
const RESAMPLES: usize = 2000;
/// Start of the generator: the same report gives the same interval everywhere.
const SEED: u64 = 20_412_895;

/// The percentile interval of `statistic` over `items` at `level`, such as 0.95, by
/// drawing as many items anew, with replacement. Draws on which the statistic has no
/// value are left out.
///
/// `None` below two items, for a level that is none, and when more than one draw in
/// ten has no value: then the interval would be of the others alone.
pub fn bootstrap_interval<T: Copy>(
    items: &[T],
    level: f64,
    statistic: impl Fn(&[T]) -> Option<f64>,
) -> Option<Interval> {
    if items.len() < 2 || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut draw = items.to_vec();
    let mut values = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        for slot in &mut draw {
            *slot = items[random.random_range(0..items.len())];
        }
        values.extend(statistic(&draw).filter(|value| value.is_finite()));
    }
    if values.len() * 10 < RESAMPLES * 9 {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    Some(Interval {
        low: quantile(&values, tail)?,
        high: quantile(&values, 1.0 - tail)?,
    })
}

/// The quantile of sorted values, linear between neighbours.
fn quantile(sorted: &[f64], probability: f64) -> Option<f64> {
    let place = probability * sorted.len().checked_sub(1)? as f64;
    let below = sorted.get(place.floor() as usize)?;
    let above = sorted.get(place.ceil() as usize)?;
    Some(below + (above - below) * place.fract())
}
