//! The interval of one proportion.

use crate::stats::interval::Interval;
use crate::stats::normal::normal_quantile;

/// Wilson's score interval of `successes` of `trials` at `level`, such as 0.95;
/// `None` without trials and for a level that is none.
pub fn wilson_interval(successes: u64, trials: u64, level: f64) -> Option<Interval> {
    let z = normal_quantile(0.5 + level / 2.0).filter(|z| *z > 0.0)?;
    if trials == 0 || successes > trials {
        return None;
    }
    let (n, p) = (trials as f64, successes as f64 / trials as f64);
    let square = z * z;
    let centre = (p + square / (2.0 * n)) / (1.0 + square / n);
    let half = z * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt() / (1.0 + square / n);
    Some(Interval {
        low: (centre - half).max(0.0),
        high: (centre + half).min(1.0),
    })
}
