//! A method against its baseline: the mean over its data sets.

use std::collections::BTreeMap;

use crate::gate::claim::Claim;
use crate::gate::comparison::{Comparison, Outcome};
use crate::gate::evidence::Evidence;
use crate::stats::{Difference, Interval, SampleVariance, standard_deviation};
use crate::upgrade::Upgrade;

/// The mean difference of a method over its data sets, across an upgrade.
#[derive(Clone, Debug)]
pub struct MethodComparison<'a> {
    pub upgrade: &'a Upgrade,
    pub shots: u32,
    pub method: &'a str,
    /// Data sets that were compared.
    pub datasets: usize,
    /// New in the report less New in the baseline, mean over data sets; a fraction.
    pub value: f64,
    /// 95 % interval of it.
    pub interval: Interval,
    /// Adjusted p-value of "not worse", to compare with alpha.
    pub p_worse: f64,
    /// Adjusted p-value of "worse by the margin or more".
    pub p_inferior: f64,
    /// Passed, inconclusive or regressed.
    pub outcome: Outcome,
    /// The smallest margin, a fraction, that it would pass with; `None` unless it regressed.
    pub smallest_margin: Option<f64>,
    /// Whether any of its data sets was measured with one seed of modules trained again.
    pub is_provisional: bool,
}

/// The claims about methods with at least two comparable data sets of which one changed. The
/// second member says for each comparison the moderated variance of one seed, `None` of those
/// that did not change.
pub(super) fn claims<'c, 'a>(
    comparisons: &'c [Comparison<'a>],
    variances: &[Option<SampleVariance>],
) -> Vec<(MethodComparison<'a>, Claim<'c>)> {
    type Cells<'c, 'a> = Vec<(&'c Comparison<'a>, Option<SampleVariance>)>;
    let mut methods: Vec<Cells<'c, 'a>> = Vec::new();
    let comparable = comparisons.iter().zip(variances.iter().copied());
    for (one, variance) in comparable.filter(|(one, _)| one.difference.is_some()) {
        let is_same = |cells: &&mut Cells<'c, 'a>| {
            let first = cells.first().map(|(c, _)| (c.upgrade, c.shots, c.method));
            first == Some((one.upgrade, one.shots, one.method))
        };
        match methods.iter_mut().find(is_same) {
            Some(cells) => cells.push((one, variance)),
            None => methods.push(vec![(one, variance)]),
        }
    }
    let tested = methods
        .into_iter()
        .filter(|cells| cells.len() > 1 && cells.iter().any(|(_, variance)| variance.is_some()));
    tested
        .filter_map(|cells| {
            let (first, _) = *cells.first()?;
            let all = cells.iter().filter_map(|(one, _)| one.difference.as_ref());
            let all: Vec<&Difference> = all.collect();
            let is_provisional = cells
                .iter()
                .any(|(one, v)| v.is_some() && one.evidence == Evidence::OneSeed);
            let claim = Claim {
                is_borrowed: is_provisional,
                value: all.iter().map(|one| one.value).sum::<f64>() / all.len() as f64,
                seeds: seeds(&cells),
                cells: all,
            };
            let found = MethodComparison {
                upgrade: first.upgrade,
                shots: first.shots,
                method: first.method,
                datasets: cells.len(),
                value: claim.value,
                interval: claim.interval(),
                p_worse: 1.0,
                p_inferior: 1.0,
                outcome: Outcome::Inconclusive,
                smallest_margin: None,
                is_provisional,
            };
            Some((found, claim))
        })
        .collect()
}

/// The variance of the mean over data sets that comes from the seeds. Trainings on different data
/// are independent; data sets that are tested with the same modules are summed seed by seed first,
/// with what is expected of them as if they moved together.
fn seeds(cells: &[(&Comparison<'_>, Option<SampleVariance>)]) -> SampleVariance {
    let mut strata: BTreeMap<&str, Vec<(&Difference, SampleVariance)>> = BTreeMap::new();
    for (one, variance) in cells {
        if let (Some(difference), Some(variance)) = (&one.difference, variance) {
            let stratum = strata.entry(one.training_data).or_default();
            stratum.push((difference, *variance));
        }
    }
    let count = cells.len() as f64;
    let (mut sum, mut over_freedom) = (0.0, 0.0);
    for stratum in strata.values() {
        let seeds = stratum.iter().map(|(one, _)| one.per_seed.len()).min();
        let seeds = seeds.unwrap_or(1);
        let together: f64 = stratum.iter().map(|(_, v)| v.value.sqrt()).sum();
        let freedom = stratum
            .iter()
            .map(|(_, v)| v.freedom)
            .fold(f64::INFINITY, f64::min);
        let mut variance = together.powi(2);
        if stratum.len() > 1 {
            let sums = (0..seeds).map(|seed| {
                let values = stratum.iter().filter_map(|(one, _)| one.per_seed.get(seed));
                values.map(crate::stats::Pairs::difference).sum::<f64>()
            });
            let own = standard_deviation(&sums.collect::<Vec<f64>>());
            let own_freedom = seeds as f64 - 1.0;
            if let Some(own) = own.filter(|_| freedom > own_freedom) {
                variance =
                    (own_freedom * own.powi(2) + (freedom - own_freedom) * variance) / freedom;
            }
        }
        let of_mean = variance / seeds as f64 / (count * count);
        sum += of_mean;
        over_freedom += of_mean * of_mean / freedom;
    }
    SampleVariance {
        value: sum,
        freedom: if over_freedom > 0.0 {
            sum * sum / over_freedom
        } else {
            f64::INFINITY
        },
    }
}
