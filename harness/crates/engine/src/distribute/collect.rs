//! The report of what the tasks have stored.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::time::Instant;

use harness_report::{Report, TaskProvenance};
use harness_store::Key;
use serde::{Deserialize, Serialize};

use super::record::{TaskRecord, UnitEnd};
use super::task::check_frozen;
use super::visibility::Patience;
use super::{Stage, Submission};
use crate::plan::{CellPlan, Graph, UnitIndex, UnitResult};
use crate::run::{
    ExecContext, Finished, Results, RunError, SetUp, Settings, assemble, now_rfc3339, stored_result,
};
use crate::schedule::{Observer, TaskResult};

/// Bytes of a task's log that go into a report.
const LOG_TAIL: usize = 4096;

/// A task that the cluster ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EndedTask {
    pub plan: String,
    pub stage: Stage,
    pub shard: usize,
    /// The cluster's word for it, such as `OUT_OF_MEMORY`.
    pub cause: String,
    pub job: String,
    pub node: String,
    pub log: PathBuf,
}

/// Reports on what is stored, computes nothing. A unit that is not stored has the status that
/// its last attempt ended with, or its task's.
///
/// # Errors
/// As for [`crate::run::run`]; or the plan is unknown or was made for other inputs.
pub fn collect<'s>(
    settings: &Settings<'s>,
    id: &str,
    ended: &[EndedTask],
    observer: &mut dyn Observer,
) -> Result<Finished<'s>, RunError> {
    let clock = (now_rfc3339(), Instant::now());
    let store = harness_store::Store::open(settings.store.clone())?;
    let plan = Submission::read(store.root(), id)?;
    let setup = SetUp::checked(settings, observer, &|inputs| {
        check_frozen(&plan, settings, inputs)
    })?;
    let mut plans = Submission::of_suite(store.root(), &plan.suite);
    if plans.iter().all(|other| other.id != plan.id) {
        plans.push(plan);
    }
    let records: Vec<TaskRecord> = plans
        .iter()
        .flat_map(|plan| TaskRecord::all(store.root(), &plan.id))
        .collect();
    let failures = failures(&plans, &records, ended);
    let context = ExecContext {
        store: &setup.store,
        pool: &setup.pool,
        is_fresh: false,
        weight: &|_| 1.0,
    };
    let results = results(&setup, &records, &failures, &context, observer);
    let mut report = assemble(settings, &setup, &results, clock)?;
    report.provenance.tasks = provenance(&setup, &records, &report);
    Ok(Finished::new(report, setup, results))
}

/// How each unit ended that a task did not finish; the last attempt counts.
fn failures(
    plans: &[Submission],
    records: &[TaskRecord],
    ended: &[EndedTask],
) -> HashMap<Key, UnitResult> {
    let mut all: HashMap<Key, UnitResult> = HashMap::new();
    for task in ended {
        let plan = plans.iter().find(|plan| plan.id == task.plan);
        let stage = plan.and_then(|plan| plan.stage(task.stage));
        let Some(units) = stage.and_then(|stage| stage.tasks.get(task.shard - 1)) else {
            continue;
        };
        let log = log_tail(task);
        for unit in &units.units {
            let message = format!(
                "{}: task {} of {} (job {}) ended on {}",
                task.cause, task.shard, task.stage, task.job, task.node
            );
            let log = log.clone();
            all.insert(unit.key.clone(), TaskResult::Crashed { message, log });
        }
    }
    for unit in records.iter().flat_map(|record| &record.units) {
        match unit.end.result() {
            Some(result) => {
                all.insert(unit.key.clone(), result);
            }
            None if unit.end == UnitEnd::Stored => {
                all.remove(&unit.key);
            }
            // Blocked is told by what blocks it; an unfinished one keeps its task's cause.
            None if matches!(unit.end, UnitEnd::Blocked { .. }) => {
                all.remove(&unit.key);
            }
            None => {}
        }
    }
    all
}

fn log_tail(task: &EndedTask) -> String {
    let bytes = std::fs::read(&task.log).unwrap_or_default();
    let start = bytes.len().saturating_sub(LOG_TAIL);
    String::from_utf8_lossy(&bytes[start..]).into_owned()
}

fn results(
    setup: &SetUp<'_>,
    records: &[TaskRecord],
    failures: &HashMap<Key, UnitResult>,
    context: &ExecContext<'_>,
    observer: &mut dyn Observer,
) -> Results {
    let graph = &setup.plan.graph;
    let announced: HashSet<&Key> = records
        .iter()
        .flat_map(|record| &record.units)
        .filter(|unit| unit.end == UnitEnd::Stored)
        .map(|unit| &unit.key)
        .collect();
    let patience = Patience::new();
    let folder = context.store.root().join("units");
    let wanted: BTreeSet<UnitIndex> = setup.plan.cells.iter().flat_map(CellPlan::units).collect();
    let mut all: HashMap<UnitIndex, UnitResult> = HashMap::new();
    for unit in wanted {
        let key = &graph[unit].key;
        let stored = match announced.contains(key) {
            true => patience.wait_for(&folder, || stored_result(key, context, observer)),
            false => stored_result(key, context, observer),
        };
        let result = stored
            .or_else(|| failures.get(key).cloned())
            .unwrap_or_else(|| blocked(graph, unit, failures, &mut all));
        all.insert(unit, result);
    }
    all.into_iter().collect()
}

/// A unit without a result: blocked by the first failure among what it needs, if there is one.
fn blocked(
    graph: &Graph,
    unit: UnitIndex,
    failures: &HashMap<Key, UnitResult>,
    all: &mut HashMap<UnitIndex, UnitResult>,
) -> UnitResult {
    let mut queue = graph[unit].needs.clone();
    while let Some(need) = queue.pop() {
        if let Some(failure) = failures.get(&graph[need].key) {
            all.entry(need).or_insert_with(|| failure.clone());
            return TaskResult::Blocked { by: need };
        }
        queue.extend(&graph[need].needs);
    }
    TaskResult::NotRun
}

/// Where each cell was computed: the attempts that stored its units, in the order they began.
fn provenance(setup: &SetUp<'_>, records: &[TaskRecord], report: &Report) -> Vec<TaskProvenance> {
    let mut stored: HashMap<&Key, usize> = HashMap::new();
    for (position, record) in records.iter().enumerate() {
        for unit in record
            .units
            .iter()
            .filter(|unit| unit.end == UnitEnd::Stored)
        {
            stored.insert(&unit.key, position);
        }
    }
    let graph = &setup.plan.graph;
    let mut cells_of: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); records.len()];
    for cell in &setup.plan.cells {
        let labels = cell.labels(&setup.inputs);
        let found = report.cells.iter().position(|other| labels == other.into());
        let Some(cell_position) = found else { continue };
        let mut queue: Vec<UnitIndex> = cell.units().collect();
        let mut seen = HashSet::new();
        while let Some(unit) = queue.pop() {
            if seen.insert(unit) {
                queue.extend(&graph[unit].needs);
                if let Some(record) = stored.get(&graph[unit].key) {
                    cells_of[*record].insert(cell_position);
                }
            }
        }
    }
    let all = records.iter().zip(cells_of);
    all.filter(|(_, cells)| !cells.is_empty())
        .map(|(record, cells)| TaskProvenance {
            stage: record.stage.name().to_owned(),
            shard: record.shard as u64,
            place: record.place.clone(),
            cells: cells.into_iter().map(|cell| cell as u64).collect(),
        })
        .collect()
}
