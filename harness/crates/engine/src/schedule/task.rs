//! What the pool is given and what it answers.

use std::path::{Path, PathBuf};

use crate::job::{Output, Usage, Work};

/// One thing to do, once the tasks it needs are done.
#[derive(Clone, Debug)]
pub struct Task {
    /// What progress lines call it.
    pub name: String,
    pub work: Work,
    /// Indices of tasks that must finish first.
    pub needs: Vec<usize>,
    /// Share of the whole, for the estimate of the time left.
    pub weight: f64,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskResult {
    Finished {
        output: Box<Output>,
        usage: Usage,
    },
    /// The module does not fit; a result, not an error.
    NotInjectable {
        reason: String,
    },
    /// The worker answered with an error; `log` is what it wrote besides.
    Failed {
        message: String,
        log: String,
    },
    /// The worker ended, or said something else, before it answered.
    Crashed {
        message: String,
        log: String,
    },
    /// The time limit passed and the worker's process group was ended.
    TimedOut {
        seconds: f64,
        log: String,
    },
    /// A task it needs did not finish.
    Blocked {
        by: usize,
    },
    /// The run was interrupted before its turn, or while it was in hand.
    NotRun,
}

impl TaskResult {
    /// What the worker answered, or in a line why it did not.
    pub(crate) fn output(self) -> Result<Output, String> {
        match self {
            Self::Finished { output, .. } => Ok(*output),
            Self::Failed { message, .. } | Self::Crashed { message, .. } => Err(message),
            Self::NotInjectable { reason } => Err(reason),
            Self::TimedOut { seconds, .. } => Err(format!("no answer within {seconds} s")),
            Self::Blocked { .. } | Self::NotRun => Err("interrupted".to_owned()),
        }
    }
}

impl Task {
    /// The plugin that a worker has to load for it.
    pub(crate) fn plugin(&self) -> Option<&Path> {
        match &self.work {
            Work::Inspect { plugin } | Work::Declare { plugin, .. } => Some(plugin),
            Work::Survey { method, .. }
            | Work::Train { method, .. }
            | Work::Inject { method, .. } => Some(&method.plugin),
            Work::Features { .. } | Work::ZeroShot { .. } => None,
        }
    }

    /// The backbone that a worker has to load for it.
    pub(crate) fn backbone(&self) -> Option<&PathBuf> {
        match &self.work {
            Work::Inspect { .. } | Work::Declare { .. } | Work::Survey { .. } => None,
            Work::Features { backbone, .. }
            | Work::ZeroShot { backbone, .. }
            | Work::Train { backbone, .. }
            | Work::Inject { backbone, .. } => Some(&backbone.path),
        }
    }
}
