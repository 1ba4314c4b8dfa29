//! One task of a plan: its units and nothing else.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use harness_report::{ExitCode, TaskPlace};
use harness_store::Key;

use super::record::{TaskRecord, UnitEnd, UnitRecord};
use super::visibility::Patience;
use super::{DistributionError, Frozen, Stage, Submission, TaskPlan};
use crate::cost::CostModel;
use crate::plan::{Graph, Inputs, UnitIndex};
use crate::run::{ExecContext, RunError, SetUp, Settings, execute_alone, is_stored};
use crate::schedule::Observer;

/// Task `number` of `of`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub number: usize,
    pub of: usize,
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected I/N with I from 1 to N, such as 3/16";
        let (number, of) = text.split_once('/').ok_or(expected)?;
        let number: NonZeroUsize = number.parse().map_err(|_| expected)?;
        let of: NonZeroUsize = of.parse().map_err(|_| expected)?;
        match number <= of {
            true => Ok(Self {
                number: number.get(),
                of: of.get(),
            }),
            false => Err(expected),
        }
    }
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSummary {
    pub units: usize,
    /// Units whose results are stored now.
    pub stored: usize,
    /// Units that failed in a way that another attempt would not change.
    pub failed: usize,
    /// Units that were interrupted, killed from outside, or lack what they need.
    pub outstanding: usize,
    /// Of those, the ones that another attempt at this task may finish.
    pub retryable: usize,
}

impl TaskSummary {
    /// What the process ends with: whether another attempt may help comes first.
    pub fn exit_code(&self) -> ExitCode {
        match (self.retryable, self.failed + self.outstanding) {
            (0, 0) => ExitCode::Ok,
            // What a blocked unit needs has failed: trying again does not bring it.
            (0, _) => ExitCode::CrashedCell,
            _ => ExitCode::Outstanding,
        }
    }
}

/// Fails if the inputs are not those that a plan was made for.
pub(super) fn check_frozen(
    plan: &Submission,
    settings: &Settings<'_>,
    inputs: &Inputs,
) -> Result<(), RunError> {
    let found = Frozen::of(inputs, &settings.selection);
    let changes = plan.frozen.differences(&found);
    match changes.is_empty() {
        true => Ok(()),
        false => Err(DistributionError::Changed {
            id: plan.id.clone(),
            changes,
        }
        .into()),
    }
}

/// Does the units of one task that are not stored yet, and records how each ended.
///
/// # Errors
/// As for [`crate::run::run`]; or the plan is unknown, was made for other inputs, or is cut
/// otherwise. Then nothing is computed.
pub fn run_task(
    settings: &Settings<'_>,
    id: &str,
    (stage, shard): (Stage, Shard),
    place: TaskPlace,
    observer: &mut dyn Observer,
) -> Result<TaskSummary, RunError> {
    if settings.fresh {
        return Err(DistributionError::Fresh.into());
    }
    let store = harness_store::Store::open(settings.store.clone())?;
    let plan = Submission::read(store.root(), id)?;
    let tasks = plan.stage(stage).map_or(&[][..], |plan| &plan.tasks);
    let task = tasks
        .get(shard.number - 1)
        .filter(|_| tasks.len() == shard.of)
        .ok_or_else(|| DistributionError::Shards {
            id: id.to_owned(),
            stage,
            found: tasks.len(),
            asked: shard.of,
        })?;
    let clock = Instant::now();
    let started = SystemTime::now().duration_since(UNIX_EPOCH);
    let setup = SetUp::checked(settings, observer, &|inputs| {
        check_frozen(&plan, settings, inputs)
    })?;
    let graph = &setup.plan.graph;
    let units = find(graph, id, task)?;
    let costs = CostModel::new(&setup.inputs, &setup.fits);
    let context = ExecContext {
        store: &setup.store,
        pool: &setup.pool,
        is_fresh: false,
        weight: &|unit| costs.weight(unit),
    };
    await_needs(graph, &units, id, &context);
    let folder = Submission::folder(store.root(), id);
    let device = setup.placement.as_ref();
    let mut record = TaskRecord {
        stage,
        shard: shard.number,
        place: TaskPlace {
            device: device.map_or_else(|| "cpu".to_owned(), |gpus| gpus.name.clone()),
            ..place
        },
        started: started.map_or(0, |since| since.as_millis() as u64),
        seconds: None,
        interrupted: false,
        units: Vec::new(),
    };
    let write = |record: &TaskRecord| {
        record
            .write(&folder)
            .map_err(|source| DistributionError::File {
                path: folder.clone(),
                source,
            })
    };
    write(&record)?;
    let mut unwritten = None;
    let results = execute_alone(
        graph,
        &units,
        &context,
        &mut |unit, result| {
            // What blocked it is recorded below, when all are settled.
            let key = graph[unit].key.clone();
            let end = UnitEnd::of(result, |_| key.clone());
            record.units.push(UnitRecord { key, end });
            if let Err(error) = write(&record) {
                unwritten.get_or_insert(error);
            }
        },
        observer,
    )?;
    record.seconds = Some(clock.elapsed().as_secs_f64());
    let done: HashSet<Key> = record.units.iter().map(|unit| unit.key.clone()).collect();
    record.units = units
        .iter()
        .filter_map(|unit| {
            let key = graph[*unit].key.clone();
            let end = UnitEnd::of(results.get(*unit)?, |by: &UnitIndex| graph[*by].key.clone());
            // What was stored before belongs to the attempt that stored it.
            (end != UnitEnd::Stored || done.contains(&key)).then_some(UnitRecord { key, end })
        })
        .collect();
    // The signal may have reached a worker before this process.
    let is_left = |unit: &UnitRecord| unit.end == UnitEnd::NotRun;
    record.interrupted =
        settings.cancel.load(Ordering::Relaxed) || record.units.iter().any(is_left);
    write(&record)?;
    if let Some(error) = unwritten {
        return Err(error.into());
    }
    Ok(summary(units.len(), &record))
}

fn summary(units: usize, record: &TaskRecord) -> TaskSummary {
    let count = |is: fn(&UnitEnd) -> bool| record.units.iter().filter(|unit| is(&unit.end)).count();
    let failed = count(|end| {
        matches!(
            end,
            UnitEnd::Failed { .. } | UnitEnd::Crashed { .. } | UnitEnd::TimedOut { .. }
        )
    });
    let retryable = count(|end| matches!(end, UnitEnd::Killed { .. } | UnitEnd::NotRun));
    let blocked = count(|end| matches!(end, UnitEnd::Blocked { .. }));
    TaskSummary {
        units,
        stored: units - failed - retryable - blocked,
        failed,
        outstanding: retryable + blocked,
        retryable,
    }
}

/// The units of a task in this plan's graph, each after those it needs.
fn find(graph: &Graph, id: &str, task: &TaskPlan) -> Result<Vec<UnitIndex>, DistributionError> {
    let by_key: HashMap<&Key, UnitIndex> = graph
        .units
        .iter()
        .enumerate()
        .map(|(index, unit)| (&unit.key, UnitIndex(index)))
        .collect();
    let units = task.units.iter().map(|unit| {
        let found = by_key.get(&unit.key).copied();
        found.ok_or_else(|| DistributionError::UnknownUnit {
            id: id.to_owned(),
            name: unit.name.clone(),
            key: unit.key.to_string(),
        })
    });
    let units: BTreeSet<UnitIndex> = units.collect::<Result<_, _>>()?;
    Ok(units.into_iter().collect())
}

/// Waits a while for what other tasks have stored, unless they say that they could not.
fn await_needs(graph: &Graph, units: &[UnitIndex], id: &str, context: &ExecContext<'_>) {
    let own: BTreeSet<UnitIndex> = units.iter().copied().collect();
    let missing = units
        .iter()
        .filter(|unit| !is_stored(graph, **unit, context));
    let needs: BTreeSet<UnitIndex> = missing
        .flat_map(|unit| graph[*unit].needs.iter().copied())
        .filter(|need| !own.contains(need))
        .collect();
    let root = context.store.root();
    let records = TaskRecord::all(root, id);
    let failed: HashSet<&Key> = records
        .iter()
        .flat_map(|record| &record.units)
        .filter(|unit| unit.end != UnitEnd::Stored)
        .map(|unit| &unit.key)
        .collect();
    let patience = Patience::new();
    let folder = root.join("units");
    for need in needs {
        if !failed.contains(&graph[need].key) {
            patience.wait_for(&folder, || is_stored(graph, need, context).then_some(()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_one_of_so_many() {
        assert_eq!("3/16".parse(), Ok(Shard { number: 3, of: 16 }));
        for text in ["", "3", "0/4", "5/4", "1/0", "a/b", "-1/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn another_attempt_is_asked_for_before_a_failure_is_told() {
        let summary = |failed, outstanding, retryable| TaskSummary {
            units: 9,
            stored: 0,
            failed,
            outstanding,
            retryable,
        };
        assert_eq!(summary(0, 0, 0).exit_code(), ExitCode::Ok);
        assert_eq!(summary(1, 1, 1).exit_code(), ExitCode::Outstanding);
        assert_eq!(summary(1, 1, 0).exit_code(), ExitCode::CrashedCell);
        assert_eq!(summary(0, 1, 0).exit_code(), ExitCode::CrashedCell);
        assert_eq!(summary(0, 1, 1).exit_code(), ExitCode::Outstanding);
    }
}
