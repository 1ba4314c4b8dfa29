//! The score interval of a paired difference of proportions (Tango 1998, Statistics
//! in Medicine 17:891). It holds its level for small counts and without any
//! discordant pair, where the Wald interval has width 0.

use crate::stats::bisect::bisect;
use crate::stats::interval::Interval;
use crate::stats::normal::normal_quantile;
use crate::stats::pairs::Pairs;

/// Tango's score statistic: how many standard errors the measured difference lies
/// above `difference`, the standard error being the one under that difference.
/// Infinite where the table is impossible under it.
pub fn tango_score(pairs: &Pairs, difference: f64) -> f64 {
    let (n, b, c) = (pairs.images as f64, pairs.gained as f64, pairs.lost as f64);
    let above = b - c - n * difference;
    // The most likely share of lost pairs under the difference.
    let (qa, qb) = (2.0 * n, -b - c + (2.0 * n - b + c) * difference);
    let qc = -c * difference * (1.0 - difference);
    let root = (qb * qb - 4.0 * qa * qc).max(0.0).sqrt();
    let lost = (root - qb) / (2.0 * qa);
    let variance = n * (2.0 * lost + difference * (1.0 - difference));
    if above == 0.0 {
        0.0
    } else if variance <= 0.0 {
        above.signum() * f64::INFINITY
    } else {
        above / variance.sqrt()
    }
}

/// The two-sided interval of `new - old` at `level`, such as 0.95, over the tables of
/// one or more seeds: the differences at which the mean of their score
/// statistics is no further from 0 than the normal quantile.
///
/// Seeds share their test images, so their statistics depend on each other; their
/// mean is taken as if they were one and the same, which is right for full dependence and
/// wide for any other. Seeds never count as more images.
///
/// `None` of no table and for a level that is none.
pub fn tango_interval(seeds: &[Pairs], level: f64) -> Option<Interval> {
    let z = normal_quantile(0.5 + level / 2.0).filter(|z| *z > 0.0)?;
    if seeds.is_empty() {
        return None;
    }
    let score = |difference: f64| mean_tango_score(seeds, difference);
    Some(Interval {
        low: bisect(-1.0, 1.0, |difference| score(difference) > z),
        high: bisect(-1.0, 1.0, |difference| score(difference) >= -z),
    })
}

/// The mean over seeds of [`tango_score`]; NaN of no seed.
pub(crate) fn mean_tango_score(seeds: &[Pairs], difference: f64) -> f64 {
    let scores = seeds.iter().map(|pairs| tango_score(pairs, difference));
    scores.sum::<f64>() / seeds.len() as f64
}
