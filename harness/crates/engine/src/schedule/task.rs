//! Tasks of the pool and their results.

use std::path::PathBuf;
use std::sync::Arc;

use crate::job::{JobOutput, PluginRef, Usage, Work};

/// Position of a task in the list that the pool was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskIndex(pub usize);

/// One thing to do, once the tasks it needs are done.
#[derive(Clone, Debug)]
pub struct PoolTask {
    /// What progress lines call it.
    pub name: String,
    pub work: Work,
    /// Tasks that must finish first; each comes earlier in the list.
    pub needs: Vec<TaskIndex>,
    /// Where the log of a failure is kept, if anywhere.
    pub log: Option<PathBuf>,
    /// Share of the whole, for the estimate of the time left.
    pub weight: f64,
}

/// How a task ended. `By` says in which list [`TaskResult::Blocked`] counts.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskResult<By = TaskIndex> {
    Finished {
        /// Shared with who watches the run: it holds the predictions.
        output: Arc<JobOutput>,
        usage: Usage,
    },
    /// The module does not fit; a result, not an error.
    NotInjectable { reason: String },
    /// The worker replied with an error; `log` is what it wrote to stderr.
    Failed { message: String, log: String },
    /// The worker ended, or sent an unexpected message, before it replied.
    Crashed { message: String, log: String },
    /// The time limit passed and the worker's process group was killed.
    TimedOut { seconds: f64, log: String },
    /// A task it needs did not finish.
    Blocked { by: By },
    /// The run was interrupted before or during the task.
    NotRun,
}

/// Why a task has no output.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    #[error("{message}")]
    Failed { message: String },
    #[error("{reason}")]
    NotInjectable { reason: String },
    #[error("no answer within {seconds} s")]
    TimedOut { seconds: f64 },
    #[error("interrupted")]
    NotRun,
}

impl<By> TaskResult<By> {
    /// What the worker replied, or why it did not.
    pub(crate) fn output(self) -> Result<JobOutput, TaskError> {
        match self {
            Self::Finished { output, .. } => Ok(Arc::unwrap_or_clone(output)),
            Self::Failed { message, .. } | Self::Crashed { message, .. } => {
                Err(TaskError::Failed { message })
            }
            Self::NotInjectable { reason } => Err(TaskError::NotInjectable { reason }),
            Self::TimedOut { seconds, .. } => Err(TaskError::TimedOut { seconds }),
            Self::Blocked { .. } | Self::NotRun => Err(TaskError::NotRun),
        }
    }

    /// The same result with its blocker counted in another list.
    pub(crate) fn map_blocker<To>(self, map: impl FnOnce(By) -> To) -> TaskResult<To> {
        match self {
            Self::Finished { output, usage } => TaskResult::Finished { output, usage },
            Self::NotInjectable { reason } => TaskResult::NotInjectable { reason },
            Self::Failed { message, log } => TaskResult::Failed { message, log },
            Self::Crashed { message, log } => TaskResult::Crashed { message, log },
            Self::TimedOut { seconds, log } => TaskResult::TimedOut { seconds, log },
            Self::Blocked { by } => TaskResult::Blocked { by: map(by) },
            Self::NotRun => TaskResult::NotRun,
        }
    }
}

impl PoolTask {
    /// The plugin that a worker has to load for it.
    pub(crate) fn plugin(&self) -> Option<&PluginRef> {
        match &self.work {
            Work::Inspect { plugin } | Work::Declare { plugin, .. } => Some(plugin),
            Work::Predict(job) => Some(&job.method.plugin),
            Work::Check(check) => Some(&check.method.plugin),
            Work::Try(trial) => Some(&trial.method.plugin),
            Work::Compare(comparison) => Some(&comparison.method.plugin),
            Work::Unit { work, .. } => work.method().map(|method| &method.plugin),
        }
    }

    /// The backbone whose weights a worker has to load for it.
    pub(crate) fn backbone(&self) -> Option<&PathBuf> {
        match &self.work {
            // These have a worker of their own.
            Work::Inspect { .. }
            | Work::Declare { .. }
            | Work::Check(_)
            | Work::Try(_)
            | Work::Compare(_) => None,
            Work::Predict(job) => job.backbone.files.present().map(|files| &files.path),
            Work::Unit { work, .. } => {
                let files = work.weights().and_then(|backbone| backbone.files.present());
                files.map(|files| &files.path)
            }
        }
    }
}
