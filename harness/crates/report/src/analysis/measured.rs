//! The differences that a decision rests on, before they are tested.

use crate::cell::{Cell, Conditions, Status};
use crate::condition::Condition;
use crate::seeds::replicates;
use crate::stats::{Contrast, Crossed, Difference, SampleVariance, VariancePrior};

/// The differences of a method on a data set, over its seeds.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    /// New - Z(t); `None` where New was not measured.
    pub(super) over_zero_shot: Option<Difference>,
    /// Base - Z(s).
    pub(super) source_gain: Option<Difference>,
    /// The two of them, in this order: of a combination the change of the gain.
    pub(super) gains: Option<Contrast>,
    /// Retrained - New; `None` where a seed has no New or was not retrained.
    pub(super) over_new: Option<Difference>,
    /// Retrained - Z(t).
    pub(super) retrained_over_zero_shot: Option<Difference>,
    /// New - Z(t) and retrained - Z(t).
    pub(super) recovery: Option<Contrast>,
    /// New - Base and retrained - Base, and the latter alone.
    pub(super) update: Option<(Contrast, Difference)>,
}

impl Measured {
    /// Of all cells of a method on a data set; those without a New count only where nothing has
    /// one, as of a module that does not fit.
    pub(super) fn of(cells: &[&Cell]) -> Self {
        let done: Vec<&Cell> = cells
            .iter()
            .copied()
            .filter(|cell| is_measured(cell))
            .collect();
        // A module that does not fit has no New and may have been retrained all the same.
        let trained = if done.is_empty() { cells } else { &done };
        let recovery = contrast(&done, |c| {
            let zero = c.zero_target.as_ref()?;
            Some([c.new.as_ref()?, zero, c.oracle.as_ref()?, zero])
        });
        let update = contrast(&done, |c| {
            let base = c.base.as_ref()?;
            Some([c.new.as_ref()?, base, c.oracle.as_ref()?, base])
        });
        let over_base = difference(&done, |c| Some((c.oracle.as_ref()?, c.base.as_ref()?)));
        Self {
            over_zero_shot: difference(&done, |c| Some((c.new.as_ref()?, c.zero_target.as_ref()?))),
            source_gain: difference(&done, |c| Some((c.base.as_ref()?, c.zero_source.as_ref()?))),
            gains: contrast(&done, |c| {
                let source = [c.base.as_ref()?, c.zero_source.as_ref()?];
                Some([
                    c.new.as_ref()?,
                    c.zero_target.as_ref()?,
                    source[0],
                    source[1],
                ])
            }),
            over_new: difference(&done, |c| Some((c.oracle.as_ref()?, c.new.as_ref()?))),
            retrained_over_zero_shot: difference(trained, |c| {
                Some((c.oracle.as_ref()?, c.zero_target.as_ref()?))
            }),
            recovery,
            update: update.zip(over_base),
        }
    }
}

/// Whether a cell has a New to decide on.
pub(super) fn is_measured(cell: &Cell) -> bool {
    let conditions = &cell.conditions;
    cell.status == Status::Ok
        && conditions.base.is_some()
        && conditions.zero_target.is_some()
        && conditions.new.is_some()
}

/// The difference over cells; `None` unless each of them has both conditions.
fn difference<'c>(
    cells: &[&'c Cell],
    pick: impl Fn(&'c Conditions) -> Option<(&'c Condition, &'c Condition)>,
) -> Option<Difference> {
    let pairs = cells
        .iter()
        .map(|cell| Some((cell.seed, pick(&cell.conditions)?)));
    Difference::of(&replicates(pairs.collect::<Option<Vec<_>>>()?))
}

fn contrast<'c>(
    cells: &[&'c Cell],
    pick: impl Fn(&'c Conditions) -> Option<[&'c Condition; 4]>,
) -> Option<Contrast> {
    let fours = cells
        .iter()
        .map(|cell| Some((cell.seed, pick(&cell.conditions)?)));
    Contrast::of(&replicates(fours.collect::<Option<Vec<_>>>()?))
}

/// How much seeds scatter, by kind of difference, over all cells of a report.
#[derive(Clone, Debug, Default)]
pub(super) struct Priors {
    pub(super) over_zero_shot: Option<VariancePrior>,
    pub(super) source_gain: Option<VariancePrior>,
    pub(super) gain_change: Option<VariancePrior>,
    pub(super) over_new: Option<VariancePrior>,
    pub(super) retrained_over_zero_shot: Option<VariancePrior>,
    pub(super) update: Option<VariancePrior>,
    pub(super) retrained_over_base: Option<VariancePrior>,
}

impl Priors {
    /// Of what was measured across every upgrade.
    pub(super) fn fit<'m>(all: impl Iterator<Item = &'m Measured> + Clone) -> Self {
        let fit = |variance: &dyn Fn(&Measured) -> Option<SampleVariance>| {
            let samples: Vec<SampleVariance> = all.clone().filter_map(variance).collect();
            VariancePrior::fit(&samples)
        };
        Self {
            over_zero_shot: fit(&|m| m.over_zero_shot.as_ref()?.seed_variance()),
            source_gain: fit(&|m| m.source_gain.as_ref()?.seed_variance()),
            gain_change: fit(&|m| m.gains.as_ref()?.less(1.0).seed_variance()),
            over_new: fit(&|m| m.over_new.as_ref()?.seed_variance()),
            retrained_over_zero_shot: fit(&|m| {
                m.retrained_over_zero_shot.as_ref()?.seed_variance()
            }),
            update: fit(&|m| m.update.as_ref()?.0.less(0.0).seed_variance()),
            retrained_over_base: fit(&|m| m.update.as_ref()?.1.seed_variance()),
        }
    }
}
