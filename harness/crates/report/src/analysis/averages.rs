//! Averages of a method over data sets, and whether one data set carries them.

use crate::analysis::analyse::Analysis;
use crate::analysis::assessment::Assessment;
use crate::analysis::effect::{Effect, Ratio};
use crate::stats::{Contrast, Interval, LEVEL, mean};
use crate::upgrade::Upgrade;

/// The averages of a method over the data sets on which all its seeds were measured.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodAverages<'a> {
    /// Number of data sets.
    pub datasets: usize,
    /// Of these, where New is shown to be above the target's zero-shot.
    pub helps: usize,
    /// And where it is shown to be below.
    pub harms: usize,
    /// New - Z(t).
    pub over_zero_shot: Spread,
    /// (New - Z(t)) / (retrained - Z(t)) of the averages; `None` where the denominator is not
    /// shown to be above 0.
    pub recovery: Option<AverageRatio<'a>>,
    /// (New - Z(t)) / (Base - Z(s)), likewise.
    pub gain_kept: Option<AverageRatio<'a>>,
}

/// A number over data sets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub mean: f64,
    pub median: f64,
    /// The lowest and the highest mean that leave one data set out; `None` below two.
    pub without_one: Option<Interval>,
}

/// A ratio of two averages over data sets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AverageRatio<'a> {
    /// With Fieller's interval over images and, of several, seeds.
    pub ratio: Ratio,
    /// The lowest and the highest ratio that leave one data set out; `None` below two data sets.
    pub without_one: Option<Interval>,
    /// The data set without which the ratio would be less than half or more than one and a half
    /// times what it is, and the ratio without it.
    pub carried_by: Option<(&'a str, f64)>,
}

impl<'a> Analysis<'a> {
    /// The averages of a method; `None` where it has no complete data set.
    pub fn averages(
        &self,
        upgrade: &Upgrade,
        shots: u32,
        method: &str,
    ) -> Option<MethodAverages<'a>> {
        let own = self.of_method(upgrade, shots, method);
        let own: Vec<&Assessment<'a>> = own.filter(|one| one.missing.is_empty()).collect();
        let gains = own.iter().map(|one| Some(one.over_zero_shot?.value));
        let gains = gains.collect::<Option<Vec<f64>>>()?;
        Some(MethodAverages {
            datasets: own.len(),
            helps: own
                .iter()
                .filter(|one| one.helps == Some(super::Claim::Shown))
                .count(),
            harms: own.iter().filter(|one| one.harms).count(),
            over_zero_shot: Spread::of(&gains)?,
            recovery: average_ratio(&own, |one| {
                Some((
                    one.contrasts.recovery.as_ref()?,
                    one.retrained?.over_zero_shot,
                ))
            }),
            gain_kept: average_ratio(&own, |one| {
                Some((one.contrasts.gain_kept.as_ref()?, one.source_gain?))
            }),
        })
    }
}

impl Spread {
    /// `None` of nothing.
    fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        let median = match sorted.len() % 2 {
            0 => (sorted[middle - 1] + upper) / 2.0,
            _ => upper,
        };
        let sum: f64 = values.iter().sum();
        let others = (values.len() - 1) as f64;
        let without = values.iter().map(|value| (sum - value) / others);
        Some(Self {
            mean: mean(values)?,
            median,
            without_one: range(without),
        })
    }
}

/// `None` unless every data set has the two differences and the mean of the lower ends of the
/// denominators is above 0.
fn average_ratio<'a>(
    own: &[&Assessment<'a>],
    parts: impl for<'s> Fn(&'s Assessment<'a>) -> Option<(&'s Contrast, Effect)>,
) -> Option<AverageRatio<'a>> {
    let all = own.iter().map(|one| parts(one));
    let (contrasts, denominators): (Vec<&Contrast>, Vec<Effect>) =
        all.collect::<Option<Vec<_>>>()?.into_iter().unzip();
    let lows: Vec<f64> = denominators.iter().map(|one| one.interval.low).collect();
    if mean(&lows)? <= 0.0 {
        return None;
    }
    let whole = Contrast::mean(&contrasts)?;
    let value = whole.ratio();
    let without: Vec<f64> = (0..contrasts.len())
        .filter_map(|left_out| {
            let mut others = contrasts.clone();
            others.remove(left_out);
            Some(Contrast::mean(&others)?.ratio())
        })
        .collect();
    let furthest = own.iter().zip(&without).max_by(|(_, a), (_, b)| {
        let distance = |ratio: f64| (ratio - value).abs();
        distance(**a).total_cmp(&distance(**b))
    });
    let carried_by = furthest.filter(|(_, ratio)| (*ratio - value).abs() > value.abs() / 2.0);
    Some(AverageRatio {
        ratio: Ratio {
            value,
            interval: whole.ratio_interval(LEVEL, None),
        },
        carried_by: carried_by.map(|(one, ratio)| (one.dataset, *ratio)),
        without_one: range(without.into_iter()),
    })
}

/// The lowest and the highest of finite numbers; `None` of none or where one is not.
fn range(values: impl Iterator<Item = f64>) -> Option<Interval> {
    let mut range: Option<Interval> = None;
    for value in values {
        if !value.is_finite() {
            return None;
        }
        let so_far = range.unwrap_or(Interval {
            low: value,
            high: value,
        });
        range = Some(Interval {
            low: so_far.low.min(value),
            high: so_far.high.max(value),
        });
    }
    range
}
