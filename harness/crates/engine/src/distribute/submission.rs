//! The plan of tasks as a file in the store, which every task reads.

use std::path::{Path, PathBuf};

use harness_store::{Key, write_atomically};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::visibility::Patience;
use super::{DistributionError, Frozen, Request, Stage};

const FORMAT: &str = "harness-submission/1";
/// Folder of the store that holds a folder for each plan.
const FOLDER: &str = "submissions";
const FILE: &str = "plan.json";
/// Digits of a plan's id.
const ID: usize = 16;

/// A plan cut into tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Submission {
    schema: String,
    /// Names what is frozen and how it is cut.
    pub id: String,
    /// The suite's file.
    pub suite: PathBuf,
    /// RFC 3339, UTC.
    pub created: String,
    pub frozen: Frozen,
    /// Stages with something to do, first to last.
    pub stages: Vec<StagePlan>,
}

/// The tasks of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StagePlan {
    pub stage: Stage,
    /// What each task asks for.
    pub request: Request,
    pub tasks: Vec<TaskPlan>,
}

/// The units of a task, each after those it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TaskPlan {
    /// Estimated wall time.
    pub seconds: f64,
    pub units: Vec<PlannedUnit>,
}

/// A unit of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedUnit {
    pub key: Key,
    pub name: String,
    /// Estimated CPU time.
    pub seconds: f64,
}

impl Submission {
    pub(super) fn new(
        suite: PathBuf,
        created: String,
        frozen: Frozen,
        stages: Vec<StagePlan>,
    ) -> Self {
        let tasks = stages.iter().map(|stage| {
            let tasks = stage.tasks.iter();
            let tasks =
                tasks.map(|task| task.units.iter().map(|unit| &unit.key).collect::<Vec<_>>());
            json!({ "stage": stage.stage, "tasks": tasks.collect::<Vec<_>>() })
        });
        // The time makes each submission one of its own, though nothing changed in between.
        let named = json!({
            "frozen": frozen, "tasks": tasks.collect::<Vec<_>>(), "created": created,
        });
        let id = Key::of(&named).as_str()[..ID].to_owned();
        Self {
            schema: FORMAT.to_owned(),
            id,
            suite,
            created,
            frozen,
            stages,
        }
    }

    /// The folder of a plan in a store.
    pub fn folder(store: &Path, id: &str) -> PathBuf {
        store.join(FOLDER).join(id)
    }

    /// The plan's own file in a store.
    pub fn file(store: &Path, id: &str) -> PathBuf {
        Self::folder(store, id).join(FILE)
    }

    /// Writes the plan into a store.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, store: &Path) -> Result<(), DistributionError> {
        let path = Self::file(store, &self.id);
        let fail = |source| DistributionError::File {
            path: path.clone(),
            source,
        };
        fs_err::create_dir_all(Self::folder(store, &self.id)).map_err(fail)?;
        let text = serde_json::to_vec_pretty(self).map_err(|error| fail(error.into()))?;
        write_atomically(&path, &text).map_err(fail)
    }

    /// Reads a plan, which another machine may just have written.
    ///
    /// # Errors
    /// There is none, or the file is damaged.
    pub fn read(store: &Path, id: &str) -> Result<Self, DistributionError> {
        let is_id = id.len() == ID && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let unknown = || DistributionError::UnknownPlan {
            id: id.to_owned(),
            folder: store.to_owned(),
        };
        if !is_id {
            return Err(unknown());
        }
        let path = Self::file(store, id);
        let mut folder = Self::folder(store, id);
        if !folder.is_dir() {
            folder = store.join(FOLDER);
        }
        if !folder.is_dir() {
            return Err(unknown());
        }
        let bytes = Patience::new().wait_for(&folder, || match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            read => Some(read),
        });
        let bytes = bytes
            .ok_or_else(unknown)?
            .map_err(|source| DistributionError::File {
                path: path.clone(),
                source,
            })?;
        let damaged = |reason: String| DistributionError::Damaged {
            path: path.clone(),
            reason,
        };
        let read: Self =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        match read.schema == FORMAT && read.id == id {
            true => Ok(read),
            false => Err(damaged(format!(
                "it is {} of plan {}",
                read.schema, read.id
            ))),
        }
    }

    /// Every plan that was made from a suite's file, oldest first; damaged ones are left out.
    pub fn of_suite(store: &Path, suite: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(store.join(FOLDER)).into_iter().flatten();
        let names = entries.flatten().map(|entry| entry.file_name());
        let mut all: Vec<Self> = names
            .filter_map(|name| {
                let bytes = std::fs::read(Self::file(store, name.to_str()?)).ok()?;
                serde_json::from_slice::<Self>(&bytes).ok()
            })
            .filter(|plan| plan.schema == FORMAT && plan.suite == suite)
            .collect();
        all.sort_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
        all
    }

    /// The tasks of a stage, if it has any.
    pub fn stage(&self, stage: Stage) -> Option<&StagePlan> {
        self.stages.iter().find(|plan| plan.stage == stage)
    }
}
