//! The numbers of one entry of a matrix, in the form that every exporter wants.

use harness_report::Cell;
use harness_report::Condition;
use harness_report::aggregate::{Block, MethodRow};
use harness_report::analysis::{Analysis, Assessment, Ratio};
use harness_report::metrics::harmonic_mean;
use harness_report::stats::Estimate;

/// The assessments of a row, one a column; `None` where the report has no cell.
pub(crate) fn row<'s>(
    analysis: &'s Analysis<'s>,
    block: &Block<'_>,
    method: &MethodRow<'_>,
) -> Vec<Option<&'s Assessment<'s>>> {
    let datasets = block.datasets.iter();
    datasets
        .map(|dataset| analysis.find(block.upgrade, block.shots, method.label, dataset))
        .collect()
}

/// The averages over the measured seeds of an assessment, as fractions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// A(s→s).
    pub(crate) base: Estimate,
    /// A(s→t).
    pub(crate) new: Estimate,
    /// Z(s); nothing is drawn, so the same for every seed.
    pub(crate) zero_source: Option<f64>,
    /// Z(t).
    pub(crate) zero_target: f64,
    /// A(t→t); `None` unless measured for every seed.
    pub(crate) oracle: Option<Estimate>,
    /// New - Z(t).
    pub(crate) over_zero_shot: Estimate,
    /// Mean over seeds of each one's H.
    pub(crate) h: Estimate,
    /// (New - Z(t)) / (Base - Z(s)).
    pub(crate) gain_kept: Option<Ratio>,
    /// The share of what retraining gains over Z(t).
    pub(crate) recovery: Option<Ratio>,
    /// The share of what retraining gains over Base.
    pub(crate) update_gain: Option<Ratio>,
}

impl Facts {
    /// `None` where no seed was measured.
    pub(crate) fn of(assessment: &Assessment<'_>) -> Option<Self> {
        let over = |number: &dyn Fn(&Cell) -> Option<f64>| {
            Estimate::of(&assessment.replicate_means(|cell| number(cell))?)
        };
        let accuracy = |condition: &Option<Condition>| Some(condition.as_ref()?.accuracy);
        let base = |cell: &Cell| accuracy(&cell.conditions.base);
        let new = |cell: &Cell| accuracy(&cell.conditions.new);
        let zero_target = |cell: &Cell| accuracy(&cell.conditions.zero_target);
        Some(Self {
            base: over(&base)?,
            new: over(&new)?,
            zero_source: over(&|cell| accuracy(&cell.conditions.zero_source)).map(|e| e.mean),
            zero_target: over(&zero_target)?.mean,
            oracle: over(&|cell| accuracy(&cell.conditions.oracle)),
            over_zero_shot: over(&|cell| Some(new(cell)? - zero_target(cell)?))?,
            h: over(&|cell| Some(harmonic_mean(base(cell)?, new(cell)?)))?,
            gain_kept: assessment.gain_kept,
            recovery: assessment.recovery,
            update_gain: assessment.update_gain,
        })
    }
}
