//! What training on the target brings and costs.

use serde::Serialize;

use crate::cell::{Cell, Conditions};
use crate::condition::Condition;
use crate::stats::{Difference, mean};

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

impl Retrained {
    /// Of all cells that were trained on the target. A module that does not fit has no New
    /// and may have been retrained all the same.
    pub(super) fn of(cells: &[&Cell]) -> Option<Self> {
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

/// The difference over cells; `None` unless each of them has both conditions.
pub(super) fn difference<'c>(
    cells: &[&'c Cell],
    pick: impl Fn(&'c Conditions) -> Option<(&'c Condition, &'c Condition)>,
) -> Option<Difference> {
    let pairs = cells.iter().map(|cell| pick(&cell.conditions));
    Difference::of(&pairs.collect::<Option<Vec<_>>>()?)
}
