//! What of a suite is stored, and what is left.

use std::collections::BTreeSet;

use harness_store::Key;

use crate::plan::{CellPlan, UnitIndex};
use crate::run::{ExecContext, RunError, SetUp, Settings, is_stored};
use crate::schedule::Observer;

/// One unit that a suite needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitState {
    pub key: Key,
    pub name: String,
    pub is_stored: bool,
}

/// The units of a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedState {
    pub suite: String,
    pub units: Vec<UnitState>,
}

/// Looks up every unit that the selected cells need; computes nothing of them.
///
/// # Errors
/// As for [`crate::run::run`].
pub fn planned_state(
    settings: &Settings<'_>,
    observer: &mut dyn Observer,
) -> Result<PlannedState, RunError> {
    let setup = SetUp::new(settings, observer)?;
    let context = ExecContext {
        store: &setup.store,
        pool: &setup.pool,
        is_fresh: false,
        weight: &|_| 1.0,
    };
    let graph = &setup.plan.graph;
    let mut all = BTreeSet::new();
    let mut queue: Vec<UnitIndex> = setup.plan.cells.iter().flat_map(CellPlan::units).collect();
    while let Some(unit) = queue.pop() {
        if all.insert(unit) {
            queue.extend(&graph[unit].needs);
        }
    }
    let units = all.into_iter().map(|unit| UnitState {
        key: graph[unit].key.clone(),
        name: graph[unit].name.clone(),
        is_stored: is_stored(graph, unit, &context),
    });
    Ok(PlannedState {
        suite: setup.inputs.suite.name.clone(),
        units: units.collect(),
    })
}
