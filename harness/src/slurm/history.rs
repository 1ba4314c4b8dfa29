//! What became of earlier submissions of a suite.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use harness_engine::distribute::{EndedTask, Floor, Submission, TaskRecord, UnitEnd};
use harness_store::{Key, write_atomically};

use super::{Queue, TaskState};

/// Bytes at the end of a log that are searched.
const LOG_TAIL: usize = 64 << 10;
/// What Slurm writes into a log when memory runs out, whichever way it watches.
const OUT_OF_MEMORY: [&str; 4] = [
    "oom-kill",
    "oom_kill",
    "exceeded memory limit",
    "Exceeded job memory limit",
];

/// Where a task writes what it prints.
pub(crate) fn log_file(folder: &Path, stage: &str, shard: &str) -> PathBuf {
    folder.join("logs").join(format!("{stage}-{shard}.log"))
}

/// Why tasks ended that did not complete: those that Slurm tells of now and those noted before.
/// Slurm forgets, so they are noted beside the plan.
pub(crate) fn causes(store: &Path, plans: &[Submission], queue: &Queue) -> Vec<EndedTask> {
    plans
        .iter()
        .flat_map(|plan| {
            let file = Submission::folder(store, &plan.id).join("ended.json");
            let noted = std::fs::read(&file).unwrap_or_default();
            let mut all: Vec<EndedTask> = serde_json::from_slice(&noted).unwrap_or_default();
            let before = all.clone();
            let records = TaskRecord::all(store, &plan.id);
            for task in queue.of_plan(&plan.id) {
                let Some(stage) = task.stage else { continue };
                let is_this = |ended: &EndedTask| (ended.stage, ended.shard) == (stage, task.shard);
                all.retain(|ended| !is_this(ended));
                let TaskState::Ended(word) = &task.state else {
                    continue;
                };
                let folder = Submission::folder(store, &plan.id);
                let log = log_file(&folder, stage.name(), &task.shard.to_string());
                let mut records = records.iter().rev();
                let last =
                    records.find(|record| (record.stage, record.shard) == (stage, task.shard));
                all.push(EndedTask {
                    plan: plan.id.clone(),
                    stage,
                    shard: task.shard,
                    cause: cause(word, last, &log),
                    job: task.job.clone(),
                    node: match task.node.is_empty() {
                        true => last.map_or("no node".to_owned(), |last| last.place.node.clone()),
                        false => task.node.clone(),
                    },
                    log,
                });
            }
            if all != before
                && let Ok(text) = serde_json::to_vec(&all)
            {
                // Only a note: without it the cause is asked for again.
                let _ = write_atomically(&file, &text);
            }
            all
        })
        .collect()
}

/// Slurm's word for how a task ended or, where it only says that the script failed, what the
/// task's record and log say.
fn cause(word: &str, record: Option<&TaskRecord>, log: &Path) -> String {
    if word != "FAILED" {
        return word.to_owned();
    }
    let bytes = std::fs::read(log).unwrap_or_default();
    let tail = &bytes[bytes.len().saturating_sub(LOG_TAIL)..];
    let tail = String::from_utf8_lossy(tail);
    if OUT_OF_MEMORY.iter().any(|phrase| tail.contains(phrase)) {
        return "OUT_OF_MEMORY".to_owned();
    }
    // Slurm tells a task to stop some time before its limit, and calls preemptions by name.
    let is_late = record.is_some_and(|record| record.interrupted);
    match is_late {
        true => "TIMEOUT".to_owned(),
        false => word.to_owned(),
    }
}

/// What units need that ran out of memory or time: twice what was asked for.
pub(crate) fn floors(
    store: &Path,
    plans: &[Submission],
    ended: &[EndedTask],
) -> HashMap<Key, Floor> {
    let mut all: HashMap<Key, Floor> = HashMap::new();
    let mut raise = |key: &Key, floor: Floor| {
        let known = all.entry(key.clone()).or_default();
        *known = known.or(floor);
    };
    for plan in plans {
        for task in ended.iter().filter(|task| task.plan == plan.id) {
            let memory = task.cause == "OUT_OF_MEMORY";
            let time = task.cause == "TIMEOUT";
            let Some(stage) = plan.stage(task.stage) else {
                continue;
            };
            let floor = Floor::after(&stage.request, memory, time);
            let units = stage.tasks.get(task.shard - 1).map(|task| &task.units);
            for unit in units.into_iter().flatten() {
                raise(&unit.key, floor);
            }
        }
        for record in TaskRecord::all(store, &plan.id) {
            let Some(stage) = plan.stage(record.stage) else {
                continue;
            };
            let floor = Floor::after(&stage.request, true, false);
            for unit in &record.units {
                if matches!(unit.end, UnitEnd::Killed { .. }) {
                    raise(&unit.key, floor);
                }
            }
        }
    }
    all
}

/// Units that tasks are about to do or doing, and the arrays that those belong to, with their
/// stages.
pub(crate) fn live_units(plans: &[Submission], queue: &Queue) -> HashSet<Key> {
    let mut all = HashSet::new();
    for plan in plans {
        for task in queue.of_plan(&plan.id).filter(|task| task.state.is_live()) {
            let stage = task.stage.and_then(|stage| plan.stage(stage));
            let units = stage.and_then(|stage| stage.tasks.get(task.shard - 1));
            all.extend(
                units
                    .into_iter()
                    .flat_map(|task| &task.units)
                    .map(|unit| unit.key.clone()),
            );
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_tells_of_memory() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert_eq!(cause("NODE_FAIL", None, &log), "NODE_FAIL");
        assert_eq!(cause("FAILED", None, &log), "FAILED");
        for line in [
            "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=7.0",
            "slurmstepd: error: StepId=2.0 exceeded memory limit (328335360 > 104857600)",
        ] {
            std::fs::write(&log, line).unwrap();
            assert_eq!(cause("FAILED", None, &log), "OUT_OF_MEMORY");
        }
    }
}
