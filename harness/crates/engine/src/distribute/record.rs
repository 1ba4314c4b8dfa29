//! What a task has done, kept beside its plan while it runs.

use std::path::{Path, PathBuf};

use harness_report::TaskPlace;
use harness_store::{Key, write_atomically};
use serde::{Deserialize, Serialize};

use super::{Stage, Submission};
use crate::schedule::TaskResult;

const FOLDER: &str = "tasks";

/// One attempt at a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TaskRecord {
    pub stage: Stage,
    /// From 1.
    pub shard: usize,
    pub place: TaskPlace,
    /// Milliseconds since 1970.
    pub started: u64,
    /// Seconds until it ended; none while it runs, and if it was killed.
    pub seconds: Option<f64>,
    /// Whether it was told to stop.
    pub interrupted: bool,
    pub units: Vec<UnitRecord>,
}

/// How a unit of a task ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct UnitRecord {
    pub key: Key,
    pub end: UnitEnd,
}

/// How a unit ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitEnd {
    /// It is stored.
    Stored,
    Failed {
        message: String,
        log: String,
    },
    Crashed {
        message: String,
        log: String,
    },
    /// Something outside killed its worker, as the system does when memory is short.
    Killed {
        message: String,
        log: String,
    },
    TimedOut {
        seconds: f64,
        log: String,
    },
    /// What it needs is not stored.
    Blocked {
        by: Key,
    },
    NotRun,
}

impl UnitEnd {
    /// How a result is recorded. `key_of` names what blocked it.
    pub(super) fn of<By>(result: &TaskResult<By>, key_of: impl Fn(&By) -> Key) -> Self {
        match result {
            TaskResult::Finished { .. } | TaskResult::NotInjectable { .. } => Self::Stored,
            TaskResult::Failed { message, log } => Self::Failed {
                message: message.clone(),
                log: log.clone(),
            },
            TaskResult::Crashed { message, log } => {
                let (message, log) = (message.clone(), log.clone());
                match signal(&message) {
                    // Clusters send it to every process of a task, workers included, to end it.
                    Some("15") => Self::NotRun,
                    Some("9") => Self::Killed { message, log },
                    _ => Self::Crashed { message, log },
                }
            }
            TaskResult::TimedOut { seconds, log } => Self::TimedOut {
                seconds: *seconds,
                log: log.clone(),
            },
            TaskResult::Blocked { by } => Self::Blocked { by: key_of(by) },
            TaskResult::NotRun => Self::NotRun,
        }
    }

    /// The result that a report shows of it, unless another attempt may still change it.
    pub(super) fn result<By>(&self) -> Option<TaskResult<By>> {
        match self.clone() {
            Self::Failed { message, log } => Some(TaskResult::Failed { message, log }),
            Self::Crashed { message, log } => Some(TaskResult::Crashed { message, log }),
            Self::Killed { message, log } => Some(TaskResult::Crashed {
                message: format!("OUT_OF_MEMORY: {message}"),
                log,
            }),
            Self::TimedOut { seconds, log } => Some(TaskResult::TimedOut { seconds, log }),
            Self::Stored | Self::Blocked { .. } | Self::NotRun => None,
        }
    }
}

/// The signal that the message of a crash says the worker was ended by.
fn signal(message: &str) -> Option<&str> {
    let (_, after) = message.split_once("ended by signal ")?;
    after.split(' ').next()
}

impl TaskRecord {
    /// Writes the record beside its plan.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&self, folder: &Path) -> std::io::Result<()> {
        let folder = folder.join(FOLDER);
        fs_err::create_dir_all(&folder)?;
        let text = serde_json::to_vec(self)?;
        write_atomically(&folder.join(self.file_name()), &text)
    }

    fn file_name(&self) -> PathBuf {
        format!("{}-{}.{}.json", self.stage, self.shard, self.started).into()
    }

    /// Every attempt at the tasks of a plan, oldest first; unreadable ones are left out.
    pub fn all(store: &Path, id: &str) -> Vec<Self> {
        let folder = Submission::folder(store, id).join(FOLDER);
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut all: Vec<Self> = entries
            .filter(|entry| {
                entry
                    .path()
                    .extension()
                    .is_some_and(|ending| ending == "json")
            })
            .filter_map(|entry| {
                let bytes = std::fs::read(entry.path()).ok()?;
                serde_json::from_slice(&bytes).ok()
            })
            .collect();
        all.sort_by_key(|record: &Self| (record.started, record.stage, record.shard));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_killed_from_outside_ran_out_of_memory() {
        let result: TaskResult = TaskResult::Crashed {
            message: "the worker was ended by signal 9 (killed, possibly out of memory) before it \
                      replied"
                .to_owned(),
            log: String::new(),
        };
        let end = UnitEnd::of(&result, |_| unreachable!());
        assert!(matches!(end, UnitEnd::Killed { .. }));
        let Some(TaskResult::<()>::Crashed { message, .. }) = end.result() else {
            unreachable!("a killed unit is shown as crashed");
        };
        assert!(message.starts_with("OUT_OF_MEMORY: "), "{message}");
    }

    #[test]
    fn a_worker_that_was_told_to_end_did_not_crash() {
        let crashed = |message: &str| -> TaskResult {
            TaskResult::Crashed {
                message: message.to_owned(),
                log: String::new(),
            }
        };
        let of = |message| UnitEnd::of(&crashed(message), |_| unreachable!());
        let told = "the worker was ended by signal 15 before it replied";
        assert_eq!(of(told), UnitEnd::NotRun);
        let fault = "the worker was ended by signal 11 (segmentation fault) before it replied";
        assert!(matches!(of(fault), UnitEnd::Crashed { .. }));
    }
}
