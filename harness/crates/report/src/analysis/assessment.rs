//! One method on one data set across one upgrade, over its seeds.

use serde::Serialize;

use crate::analysis::decide::Deciding;
use crate::analysis::recommendation::Recommendation;
use crate::analysis::verdict::Verdict;
use crate::analysis::words;
use crate::cell::{Cell, Status};
use crate::condition::Condition;
use crate::metrics::{ClassRow, Flips, class_rows};
use crate::report::{Report, Upgrade};
use crate::stats::{Difference, mean};

/// What is known of a method on a data set across an upgrade, and what follows.
#[derive(Clone, Debug)]
pub struct Assessment<'a> {
    pub upgrade: &'a Upgrade,
    pub shots: u32,
    /// Label of the method.
    pub method: &'a str,
    /// Name of the data set.
    pub dataset: &'a str,
    /// The measured cells, by ascending seed.
    pub cells: Vec<&'a Cell>,
    /// The cells that gave no number, by ascending seed.
    pub missing: Vec<Missing<'a>>,
    /// New - Base; `None` where nothing was measured.
    pub against_base: Option<Difference>,
    /// New - Z(t); `None` where nothing was measured.
    pub over_zero_shot: Option<Difference>,
    /// What training on the target brings and costs; `None` where it was not done under
    /// every seed.
    pub retrained: Option<Retrained>,
    /// From Base to New, summed over seeds; `None` where nothing was measured.
    pub flips: Option<Flips>,
    /// `None` where nothing was measured and the module is not known not to fit.
    pub verdict: Option<Verdict>,
    /// Why this verdict, in one sentence without a full stop.
    pub reason: String,
    /// What would decide an inconclusive verdict.
    pub deciding: Option<Deciding>,
    pub recommendation: Recommendation,
    /// What the recommendation costs and brings, in one sentence without a full stop.
    pub advice: String,
}

/// A cell without a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Missing<'a> {
    pub seed: u64,
    pub status: &'a Status,
    /// Command line that runs the cell again.
    pub rerun: &'a str,
}

/// What training on the target brings and costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Retrained {
    /// A(t→t) - A(s→t); `None` where the module does not fit the target.
    pub over_new: Option<Difference>,
    /// A(t→t) - Z(t).
    pub over_zero_shot: Difference,
    /// Mean wall-clock seconds of a training.
    pub seconds: f64,
    /// Whether the seconds were measured on the target; else they are those of the training
    /// on the source. 0 where neither is known.
    pub is_measured: bool,
}

impl<'a> Assessment<'a> {
    /// Of the cells of one method, data set, upgrade and number of shots; `margin` is the
    /// accepted loss, a fraction. `None` of no cell.
    pub(crate) fn of(cells: &[&'a Cell], margin: f64) -> Option<Self> {
        let mut cells = cells.to_vec();
        cells.sort_by_key(|cell| cell.seed);
        let first = *cells.first()?;
        let (measured, others): (Vec<&Cell>, Vec<&Cell>) =
            cells.iter().copied().partition(|cell| is_measured(cell));
        let missing: Vec<Missing<'_>> = others.iter().map(|cell| Missing::of(cell)).collect();
        let against_base = difference(&measured, |c| Some((c.new.as_ref()?, c.base.as_ref()?)));
        let over_zero_shot = difference(&measured, |c| {
            Some((c.new.as_ref()?, c.zero_target.as_ref()?))
        });
        let retrained = Retrained::of(&cells);
        let flips = measured
            .iter()
            .map(|cell| Flips::of(&cell.conditions))
            .collect::<Option<Vec<Flips>>>()
            .filter(|each| !each.is_empty())
            .map(|each| {
                each.into_iter()
                    .fold(Flips::default(), |sum, one| sum + one)
            });
        let unfit = others.iter().find_map(|cell| match &cell.status {
            Status::NotInjectable { reason } => Some(reason.as_str()),
            _ => None,
        });
        let verdict = match (&against_base, &over_zero_shot) {
            _ if unfit.is_some() => Some(Verdict::NotInjectable),
            (Some(base), Some(zero)) => Some(Verdict::of(base, zero, margin)),
            _ => None,
        };
        let deciding = match (verdict, &against_base) {
            (Some(Verdict::Inconclusive), Some(base)) => Deciding::of(base, margin),
            _ => None,
        };
        let recommendation =
            Recommendation::of(verdict, over_zero_shot.as_ref(), retrained.as_ref());
        let mut assessment = Self {
            upgrade: &first.upgrade,
            shots: first.shots,
            method: &first.method,
            dataset: &first.dataset,
            cells: measured,
            missing,
            against_base,
            over_zero_shot,
            retrained,
            flips,
            verdict,
            reason: String::new(),
            deciding,
            recommendation,
            advice: String::new(),
        };
        assessment.reason = words::reason(&assessment, margin, unfit);
        assessment.advice = words::advice(&assessment);
        Some(assessment)
    }

    /// A row for each class, from the labels that `report` keeps; empty where it keeps none
    /// or nothing was measured.
    pub fn classes(&self, report: &Report) -> Vec<ClassRow> {
        let mut datasets = report.datasets.iter();
        let labels = datasets
            .find(|dataset| dataset.name == self.dataset)
            .and_then(|dataset| dataset.test_labels.as_ref());
        labels.map_or_else(Vec::new, |labels| {
            class_rows(labels, self.cells.iter().copied())
        })
    }

    /// Mean over seeds of what `number` gives for a cell; `None` unless every measured cell has
    /// one.
    pub fn mean(&self, number: impl Fn(&Cell) -> Option<f64>) -> Option<f64> {
        let numbers = self.cells.iter().map(|cell| number(cell));
        mean(&numbers.collect::<Option<Vec<f64>>>()?)
    }
}

impl<'a> Missing<'a> {
    fn of(cell: &'a Cell) -> Self {
        Self {
            seed: cell.seed,
            // A finished cell without its conditions is a finding of the lints.
            status: match &cell.status {
                Status::Ok => &Status::NotRun,
                status => status,
            },
            rerun: &cell.rerun,
        }
    }
}

impl Retrained {
    /// Of all cells that were trained on the target. A module that does not fit has no New
    /// and may have been retrained all the same.
    fn of(cells: &[&Cell]) -> Option<Self> {
        let every_new = cells.iter().all(|cell| cell.conditions.new.is_some());
        let over_new = every_new
            .then(|| difference(cells, |c| Some((c.oracle.as_ref()?, c.new.as_ref()?))))
            .flatten();
        let over_zero_shot = difference(cells, |c| {
            Some((c.oracle.as_ref()?, c.zero_target.as_ref()?))
        })?;
        let on_target = cells.iter().map(|cell| Some(cell.retraining?.seconds));
        let on_target = on_target.collect::<Option<Vec<f64>>>();
        let on_source = cells.iter().filter_map(|cell| cell.training.as_ref());
        let on_source: Vec<f64> = on_source.map(|training| training.seconds).collect();
        let is_measured = on_target.is_some();
        Some(Self {
            over_new,
            over_zero_shot,
            seconds: mean(&on_target.unwrap_or(on_source)).unwrap_or_default(),
            is_measured,
        })
    }
}

fn is_measured(cell: &Cell) -> bool {
    let conditions = &cell.conditions;
    cell.status == Status::Ok
        && conditions.base.is_some()
        && conditions.zero_target.is_some()
        && conditions.new.is_some()
}

/// The difference over cells; `None` unless each of them has both conditions.
fn difference<'c>(
    cells: &[&'c Cell],
    pick: impl Fn(&'c crate::cell::Conditions) -> Option<(&'c Condition, &'c Condition)>,
) -> Option<Difference> {
    let pairs = cells.iter().map(|cell| pick(&cell.conditions));
    Difference::of(&pairs.collect::<Option<Vec<_>>>()?)
}
