//! Runs the units of a graph that are not stored, and stores their results.

use std::collections::{BTreeSet, HashMap};

use super::error::RunError;
use super::results::Results;
use crate::job::{JobOutput, Outcome, UnitWork};
use crate::plan::{Graph, Unit, UnitIndex, UnitResult};
use crate::schedule::{Observer, Pool, PoolTask, Silent, TaskIndex, TaskResult};
use harness_store::{Key, Store, StoreError, sha256_file};

/// Where results are kept, who does the work, and what counts as done.
pub(crate) struct ExecContext<'c> {
    pub(crate) store: &'c Store,
    pub(crate) pool: &'c Pool<'c>,
    /// A unit's share of the time, for the estimate of the time left.
    pub(crate) weight: &'c dyn Fn(&Unit) -> f64,
    /// Whether to ignore stored results.
    pub(crate) is_fresh: bool,
}

/// What is stored of the wanted units, and what has to be done for the rest.
pub(crate) struct Backlog {
    pub(crate) stored: Results,
    /// Units to do, each after those it needs.
    pub(crate) open: Vec<UnitIndex>,
}

/// Results of the wanted units and of what had to be done for them. `settled` gets what is stored,
/// and each result once it is.
pub(crate) fn execute(
    graph: &Graph,
    wanted: impl IntoIterator<Item = UnitIndex>,
    context: &ExecContext<'_>,
    settled: &dyn Fn(UnitIndex, &UnitResult),
    observer: &mut dyn Observer,
) -> Result<Results, RunError> {
    let backlog = backlog(graph, wanted, context, observer);
    let tasks_of_units: HashMap<UnitIndex, TaskIndex> = backlog
        .open
        .iter()
        .enumerate()
        .map(|(task, unit)| (*unit, TaskIndex(task)))
        .collect();
    let tasks: Vec<PoolTask> = backlog
        .open
        .iter()
        .map(|unit| task(&graph[*unit], &tasks_of_units, context))
        .collect();
    let unit_of = |TaskIndex(task): TaskIndex| backlog.open[task];
    for (unit, result) in backlog.stored.iter() {
        settled(unit, result);
    }
    let mut keep = |task: TaskIndex, result| {
        let result = keep(context.store, &graph[unit_of(task)], result)?;
        settled(unit_of(task), &result.clone().map_blocker(unit_of));
        Ok(result)
    };
    let results = context.pool.run(&tasks, observer, &mut keep)?;
    let mut all = backlog.stored;
    for (unit, result) in backlog.open.iter().zip(results) {
        all.insert(*unit, result.map_blocker(unit_of));
    }
    Ok(all)
}

/// Does these units and no others, each after those it needs; what is stored is not done again.
/// A unit whose needs are neither stored nor among `units` is blocked. `after` gets each unit
/// that was done, once its result is stored.
pub(crate) fn execute_alone(
    graph: &Graph,
    units: &[UnitIndex],
    context: &ExecContext<'_>,
    after: &mut dyn FnMut(UnitIndex, &TaskResult),
    observer: &mut dyn Observer,
) -> Result<Results, RunError> {
    let mut all = Results::default();
    let mut open: Vec<UnitIndex> = Vec::new();
    for index in units {
        // A training whose module is gone is done again.
        if is_stored_with(graph, *index, context, observer)
            && let Some(result) = lookup(&graph[*index].key, context, observer)
        {
            all.insert(*index, result);
            continue;
        }
        let mut needs = graph[*index].needs.iter().copied();
        let lacking = needs
            .find(|need| !open.contains(need) && !is_stored_with(graph, *need, context, observer));
        match lacking {
            Some(by) => all.insert(*index, TaskResult::Blocked { by }),
            None => open.push(*index),
        }
    }
    let tasks_of_units: HashMap<UnitIndex, TaskIndex> = open
        .iter()
        .enumerate()
        .map(|(task, unit)| (*unit, TaskIndex(task)))
        .collect();
    let tasks: Vec<PoolTask> = open
        .iter()
        .map(|unit| task(&graph[*unit], &tasks_of_units, context))
        .collect();
    let mut keep = |TaskIndex(task): TaskIndex, result| {
        let result = keep(context.store, &graph[open[task]], result)?;
        after(open[task], &result);
        Ok(result)
    };
    let results = context.pool.run(&tasks, observer, &mut keep)?;
    for (unit, result) in open.iter().zip(results) {
        all.insert(*unit, result.map_blocker(|TaskIndex(task)| open[task]));
    }
    Ok(all)
}

/// Whether a unit's result is stored, with the module that it wrote.
pub(crate) fn is_stored(graph: &Graph, unit: UnitIndex, context: &ExecContext<'_>) -> bool {
    is_stored_with(graph, unit, context, &mut Silent)
}

fn is_stored_with(
    graph: &Graph,
    unit: UnitIndex,
    context: &ExecContext<'_>,
    observer: &mut dyn Observer,
) -> bool {
    let key = &graph[unit].key;
    let stored = lookup(key, context, observer);
    stored.is_some_and(|result| has_module(key, &result, context.store, observer))
}

/// The stored result of a unit.
pub(crate) fn stored_result(
    key: &Key,
    context: &ExecContext<'_>,
    observer: &mut dyn Observer,
) -> Option<UnitResult> {
    lookup(key, context, observer)
}

/// Looks up the wanted units and whatever the missing ones need.
pub(crate) fn backlog(
    graph: &Graph,
    wanted: impl IntoIterator<Item = UnitIndex>,
    context: &ExecContext<'_>,
    observer: &mut dyn Observer,
) -> Backlog {
    let mut stored = Results::default();
    let mut open = BTreeSet::new();
    let mut queue: Vec<UnitIndex> = wanted.into_iter().collect();
    while let Some(index) = queue.pop() {
        if open.contains(&index) || stored.contains(index) {
            continue;
        }
        match lookup(&graph[index].key, context, observer) {
            Some(result) => stored.insert(index, result),
            None => {
                open.insert(index);
                queue.extend(&graph[index].needs);
            }
        }
    }
    // A training is done again if its module is gone and an open unit needs it.
    let needed: BTreeSet<UnitIndex> = open
        .iter()
        .flat_map(|index| graph[*index].needs.iter().copied())
        .filter(|need| !open.contains(need))
        .collect();
    let mut lost = Vec::new();
    for index in needed {
        if let Some(result) = stored.get(index)
            && !has_module(&graph[index].key, result, context.store, observer)
        {
            stored.remove(index);
            lost.push(index);
        }
    }
    for index in lost {
        open.insert(index);
        for need in &graph[index].needs {
            // Stored features are always complete: they have no module file to lose.
            if !stored.contains(*need) {
                match lookup(&graph[*need].key, context, observer) {
                    Some(result) => stored.insert(*need, result),
                    None => {
                        open.insert(*need);
                    }
                }
            }
        }
    }
    // A stored training without a module is final: what needs it cannot run. Needs come before
    // what needs them.
    open.retain(|index| {
        let is_final = |need: &&UnitIndex| {
            let result = stored.get(**need);
            result.is_some_and(|result| !matches!(result, TaskResult::Finished { .. }))
        };
        let Some(by) = graph[*index]
            .needs
            .iter()
            .copied()
            .find(|need| is_final(&need))
        else {
            return true;
        };
        stored.insert(*index, TaskResult::Blocked { by });
        false
    });
    Backlog {
        stored,
        open: open.into_iter().collect(),
    }
}

fn lookup(key: &Key, context: &ExecContext<'_>, observer: &mut dyn Observer) -> Option<UnitResult> {
    if context.is_fresh {
        return None;
    }
    match context.store.unit(key) {
        Ok(Some(Outcome::Done { output, usage })) => Some(TaskResult::Finished {
            output: output.into(),
            usage,
        }),
        Ok(Some(Outcome::NotInjectable { reason })) => Some(TaskResult::NotInjectable { reason }),
        Ok(
            Some(
                Outcome::Failed { .. }
                | Outcome::Crashed { .. }
                | Outcome::DeviceMemory { .. }
                | Outcome::Unwritten { .. },
            )
            | None,
        ) => None,
        Err(warning) => {
            observer.warn(&warning.to_string());
            None
        }
    }
}

fn has_module(key: &Key, result: &UnitResult, store: &Store, observer: &mut dyn Observer) -> bool {
    let outcome = outcome(result);
    let Some(expected) = outcome.as_ref().and_then(Outcome::module_sha256) else {
        return true;
    };
    match store.has_module(key, expected) {
        Ok(found) => found,
        Err(warning) => {
            observer.warn(&warning.to_string());
            false
        }
    }
}

fn task(unit: &Unit, tasks: &HashMap<UnitIndex, TaskIndex>, context: &ExecContext<'_>) -> PoolTask {
    PoolTask {
        name: unit.name.clone(),
        work: unit.work(context.store),
        // Stored units are done already.
        needs: unit
            .needs
            .iter()
            .filter_map(|need| tasks.get(need).copied())
            .collect(),
        log: Some(context.store.log(&unit.key)),
        weight: (context.weight)(unit),
    }
}

/// Stores results that can be reused, and the logs of failures.
fn keep(store: &Store, unit: &Unit, result: TaskResult) -> Result<TaskResult, StoreError> {
    let result = match result {
        TaskResult::Finished { output, .. } if lacks_module(store, unit, &output) => {
            TaskResult::Failed {
                message: "the worker reported a module it did not write".to_owned(),
                log: String::new(),
            }
        }
        other => other,
    };
    if let Some(outcome) = outcome(&result) {
        if matches!(unit.work, UnitWork::Train { .. }) && matches!(outcome, Outcome::Done { .. }) {
            store.keep_module(&unit.key)?;
        }
        store.put_unit(&unit.key, &outcome, outcome.module_sha256())?;
    }
    let log = match &result {
        TaskResult::Failed { message, log } | TaskResult::Crashed { message, log } => {
            format!("{}: {message}\n{log}", unit.name)
        }
        TaskResult::TimedOut { seconds, log } => {
            format!("{}: no answer within {seconds} s\n{log}", unit.name)
        }
        _ => return Ok(result),
    };
    store.put_log(&unit.key, &log)?;
    Ok(result)
}

fn lacks_module(store: &Store, unit: &Unit, output: &JobOutput) -> bool {
    match output {
        JobOutput::Trained(trained) => {
            let draft = store.module_draft(&unit.key);
            !sha256_file(&draft).is_ok_and(|found| found == trained.module_sha256)
        }
        _ => false,
    }
}

/// What the store keeps of a result, if anything.
fn outcome<By>(result: &TaskResult<By>) -> Option<Outcome> {
    match result {
        TaskResult::Finished { output, usage } => Some(Outcome::Done {
            output: Box::new(JobOutput::clone(output)),
            usage: *usage,
        }),
        TaskResult::NotInjectable { reason } => Some(Outcome::NotInjectable {
            reason: reason.clone(),
        }),
        _ => None,
    }
}
