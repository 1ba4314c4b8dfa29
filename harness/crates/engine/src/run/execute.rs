//! Does the units of a graph that are not stored, and stores them.

use std::collections::{BTreeSet, HashMap};

use super::error::RunError;
use crate::job::{Outcome, Output};
use crate::plan::{Graph, Unit, UnitKind};
use crate::schedule::{Observer, Pool, Task, TaskResult};
use harness_store::{Key, Store, StoreError, sha256_file};

/// With what units are done.
pub(crate) struct Means<'m> {
    pub(crate) store: &'m Store,
    pub(crate) pool: &'m Pool<'m>,
    /// Whether to do stored work again.
    pub(crate) is_fresh: bool,
}

/// What is stored of the wanted units, and what has to be done for the rest.
pub(crate) struct Backlog {
    pub(crate) stored: HashMap<usize, TaskResult>,
    /// Units to do, each after those it needs.
    pub(crate) open: Vec<usize>,
}

/// Results of the wanted units and of what had to be done for them.
pub(crate) fn execute(
    graph: &Graph,
    wanted: impl IntoIterator<Item = usize>,
    means: &Means<'_>,
    observer: &mut dyn Observer,
) -> Result<HashMap<usize, TaskResult>, RunError> {
    let backlog = backlog(graph, wanted, means, observer);
    let position: HashMap<usize, usize> = (0..)
        .zip(&backlog.open)
        .map(|(task, unit)| (*unit, task))
        .collect();
    let tasks: Vec<Task> = backlog
        .open
        .iter()
        .map(|unit| task(&graph.units[*unit], &position, means.store))
        .collect();
    let mut keep =
        |task: usize, result| keep(means.store, &graph.units[backlog.open[task]], result);
    let results = means.pool.run(&tasks, observer, &mut keep)?;
    let mut all = backlog.stored;
    for (unit, result) in backlog.open.iter().zip(results) {
        // From here on units are spoken of by their place in the graph.
        let result = match result {
            TaskResult::Blocked { by } => TaskResult::Blocked {
                by: backlog.open[by],
            },
            other => other,
        };
        all.insert(*unit, result);
    }
    Ok(all)
}

/// Looks the wanted units up, and what is needed for those that are not there.
pub(crate) fn backlog(
    graph: &Graph,
    wanted: impl IntoIterator<Item = usize>,
    means: &Means<'_>,
    observer: &mut dyn Observer,
) -> Backlog {
    let mut stored = HashMap::new();
    let mut open = BTreeSet::new();
    let mut queue: Vec<usize> = wanted.into_iter().collect();
    while let Some(index) = queue.pop() {
        if open.contains(&index) || stored.contains_key(&index) {
            continue;
        }
        match lookup(&graph.units[index].key, means, observer) {
            Some(result) => drop(stored.insert(index, result)),
            None => {
                open.insert(index);
                queue.extend(&graph.units[index].needs);
            }
        }
    }
    // A training is done again if its module is gone and somebody needs it.
    let needed: BTreeSet<usize> = open
        .iter()
        .flat_map(|index| graph.units[*index].needs.iter().copied())
        .filter(|need| !open.contains(need))
        .collect();
    let mut lost = Vec::new();
    for index in needed {
        if let Some(result) = stored.get(&index)
            && !has_module(&graph.units[index].key, result, means.store, observer)
        {
            stored.remove(&index);
            lost.push(index);
        }
    }
    for index in lost {
        open.insert(index);
        for need in &graph.units[index].needs {
            // Features leave no file that a stored result could be without.
            if !stored.contains_key(need) {
                match lookup(&graph.units[*need].key, means, observer) {
                    Some(result) => drop(stored.insert(*need, result)),
                    None => drop(open.insert(*need)),
                }
            }
        }
    }
    Backlog {
        stored,
        open: open.into_iter().collect(),
    }
}

fn lookup(key: &Key, means: &Means<'_>, observer: &mut dyn Observer) -> Option<TaskResult> {
    if means.is_fresh {
        return None;
    }
    match means.store.unit(key) {
        Ok(Some(Outcome::Done { output, usage })) => Some(TaskResult::Finished { output, usage }),
        Ok(Some(Outcome::NotInjectable { reason })) => Some(TaskResult::NotInjectable { reason }),
        Ok(Some(Outcome::Failed { .. }) | None) => None,
        Err(warning) => {
            observer.warn(&warning.to_string());
            None
        }
    }
}

fn has_module(key: &Key, result: &TaskResult, store: &Store, observer: &mut dyn Observer) -> bool {
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

fn task(unit: &Unit, position: &HashMap<usize, usize>, store: &Store) -> Task {
    Task {
        name: unit.name.clone(),
        work: unit.work(store),
        // What is stored needs no waiting for.
        needs: unit
            .needs
            .iter()
            .filter_map(|need| position.get(need).copied())
            .collect(),
        weight: unit.weight(),
    }
}

/// Stores what may be used again, and the logs of what ended badly.
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
        if matches!(unit.kind, UnitKind::Train { .. }) && matches!(outcome, Outcome::Done { .. }) {
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

fn lacks_module(store: &Store, unit: &Unit, output: &Output) -> bool {
    match output {
        Output::Trained { module_sha256, .. } => {
            let draft = store.module_draft(&unit.key);
            !sha256_file(&draft).is_ok_and(|found| found == *module_sha256)
        }
        _ => false,
    }
}

/// What the store keeps of a result, if anything.
fn outcome(result: &TaskResult) -> Option<Outcome> {
    match result {
        TaskResult::Finished { output, usage } => Some(Outcome::Done {
            output: output.clone(),
            usage: *usage,
        }),
        TaskResult::NotInjectable { reason } => Some(Outcome::NotInjectable {
            reason: reason.clone(),
        }),
        _ => None,
    }
}
