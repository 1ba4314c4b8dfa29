//! One piece of work in a worker of its own.

use std::sync::Arc;

use super::PluginCheckError;
use crate::job::{JobOutput, Work};
use crate::schedule::{Observer, Pool, PoolTask, Progress, TaskResult};

/// Bytes of a log that are kept.
const LOG_TAIL: usize = 2000;

/// How the work ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Done(Box<JobOutput>),
    Failed {
        message: String,
        /// The end of what the plugin wrote.
        log: String,
    },
    /// It was interrupted.
    NotRun,
}

/// A pool of its own ends with a process of its own.
pub(super) fn single(
    name: String,
    work: Work,
    pool: &Pool<'_>,
    observer: &mut dyn Observer,
) -> Result<Reply, PluginCheckError> {
    let task = PoolTask {
        name,
        work,
        needs: Vec::new(),
        log: None,
        weight: 1.0,
    };
    let mut results = pool.run(&[task], &mut Quiet(observer), &mut |_, result| Ok(result))?;
    Ok(match results.pop() {
        Some(TaskResult::Finished { output, .. }) => {
            Reply::Done(Box::new(Arc::unwrap_or_clone(output)))
        }
        Some(TaskResult::NotInjectable { reason }) => Reply::Failed {
            message: format!("not injectable into the source: {reason}"),
            log: String::new(),
        },
        Some(TaskResult::Failed { message, log } | TaskResult::Crashed { message, log }) => {
            Reply::Failed {
                message,
                log: end_of(&log),
            }
        }
        Some(TaskResult::TimedOut { seconds, log }) => Reply::Failed {
            message: format!("no answer within {seconds} s"),
            log: end_of(&log),
        },
        Some(TaskResult::Blocked { .. } | TaskResult::NotRun) | None => Reply::NotRun,
    })
}

fn end_of(log: &str) -> String {
    let mut start = log.len().saturating_sub(LOG_TAIL);
    while !log.is_char_boundary(start) {
        start += 1;
    }
    log[start..].to_owned()
}

/// Passes on warnings and what the plugin writes: failures are in the result.
struct Quiet<'o>(&'o mut dyn Observer);

impl Observer for Quiet<'_> {
    fn finished(&mut self, _task: &PoolTask, _result: &TaskResult) {}
    fn tick(&mut self, progress: &Progress) {
        self.0.tick(progress);
    }
    fn warn(&mut self, message: &str) {
        self.0.warn(message);
    }
    fn wants_logs(&self) -> bool {
        self.0.wants_logs()
    }
    fn log(&mut self, task: &PoolTask, log: &str) {
        self.0.log(task, log);
    }
}
