//! The averages of one method, or of the zero-shot, over data sets and seeds.

use crate::aggregate::entry::{MatrixEntry, Measured};
use crate::metrics::{harmonic_mean, harmonic_of_means, mean_of_harmonics};
use crate::seeds::replicate_means;
use crate::stats::{Estimate, mean};

/// Averages of a method. For each seed over data sets, then over seeds; of several splits over
/// these, each the mean of its trainings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// A(s→s).
    pub base: Estimate,
    /// A(s→t).
    pub new: Estimate,
    /// H of the averages of Base and New.
    pub h_of_means: Estimate,
    /// Average over data sets of each one's H.
    pub mean_of_h: Estimate,
    /// New - Z(t).
    pub over_zero_shot: Estimate,
    /// A(t→t); `None` unless measured in every cell that the other averages are over.
    pub oracle: Option<Estimate>,
}

impl Summary {
    /// `None` without an entry. Every entry must be complete, over the same seeds.
    pub(crate) fn of(entries: &[&MatrixEntry<'_>]) -> Option<Self> {
        let seeds = entries.first()?.cells.len();
        let by_seed: Vec<Vec<Measured<'_>>> = (0..seeds)
            .map(|seed| {
                entries
                    .iter()
                    .filter_map(|e| e.cells.get(seed).copied())
                    .collect()
            })
            .collect();
        let over = |number: &dyn Fn(&[Measured<'_>]) -> Option<f64>| {
            let values = by_seed
                .iter()
                .map(|cells| Some((cells.first()?.cell.seed, number(cells)?)));
            Estimate::of(&replicate_means(values.collect::<Option<Vec<_>>>()?))
        };
        Some(Self {
            base: over(&|cells| average(cells, |m| m.base))?,
            new: over(&|cells| average(cells, |m| m.new))?,
            h_of_means: over(&|cells| harmonic_of_means(&pairs(cells)))?,
            mean_of_h: over(&|cells| mean_of_harmonics(&pairs(cells)))?,
            over_zero_shot: over(&|cells| average(cells, |m| m.new - m.zero_target))?,
            oracle: over(&oracle),
        })
    }
}

/// Averages of the zero-shot over data sets; nothing is drawn, so no interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ZeroShotSummary {
    /// Z(s).
    pub source: f64,
    /// Z(t).
    pub target: f64,
    /// H of the two averages.
    pub h_of_means: f64,
    /// Average over data sets of each one's H.
    pub mean_of_h: f64,
}

impl ZeroShotSummary {
    /// Of `(source, target)` on each data set; `None` of nothing.
    pub(crate) fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let (sources, targets): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let (source, target) = (mean(&sources)?, mean(&targets)?);
        Some(Self {
            source,
            target,
            h_of_means: harmonic_mean(source, target),
            mean_of_h: mean_of_harmonics(pairs)?,
        })
    }
}

fn average(cells: &[Measured<'_>], number: impl Fn(&Measured<'_>) -> f64) -> Option<f64> {
    mean(&cells.iter().map(number).collect::<Vec<_>>())
}

fn pairs(cells: &[Measured<'_>]) -> Vec<(f64, f64)> {
    cells.iter().map(|m| (m.base, m.new)).collect()
}

fn oracle(cells: &[Measured<'_>]) -> Option<f64> {
    let all: Option<Vec<f64>> = cells
        .iter()
        .map(|m| Some(m.cell.conditions.oracle.as_ref()?.accuracy))
        .collect();
    mean(&all?)
}
