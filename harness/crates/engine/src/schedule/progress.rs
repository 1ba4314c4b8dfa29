//! Progress of a run.

use std::time::Duration;

use super::{PoolTask, TaskResult};

/// Progress of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    pub done: usize,
    pub total: usize,
    /// Share of the weight that is done, in [0, 1].
    pub share: f64,
    pub running: Vec<Running>,
    /// Names of the first tasks that wait, in the order of the plan.
    pub next: Vec<String>,
    pub elapsed: Duration,
    /// Time left at the rate so far; none until there is enough to go by.
    pub left: Option<Duration>,
}

/// A task in progress.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    pub name: String,
    /// Share that is done, in [0, 1]; 0 where it does not say.
    pub share: f64,
    pub elapsed: Duration,
}

impl Progress {
    pub(crate) fn estimate(elapsed: Duration, share: f64) -> Option<Duration> {
        // A guess from too little is worse than none.
        if share < 0.01 {
            return None;
        }
        let seconds = elapsed.as_secs_f64() * (1.0 - share).max(0.0) / share;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// Receives every result, and several times a second the progress of the whole.
pub trait Observer {
    /// A task ended.
    fn finished(&mut self, task: &PoolTask, result: &TaskResult);
    /// Whether [`log`](Self::log) is to be called; to wait for a log takes a moment.
    fn wants_logs(&self) -> bool {
        false
    }
    /// What a task that finished wrote to stdout and stderr.
    fn log(&mut self, _task: &PoolTask, _text: &str) {}
    /// Time passed.
    fn tick(&mut self, progress: &Progress);
    /// Time passed while inputs are read and hashed.
    fn reading(&mut self, _progress: &Reading<'_>) {}
    /// A warning for the user.
    fn warn(&mut self, message: &str);
}

/// How far the inputs are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading<'a> {
    /// Inputs that are read.
    pub done: usize,
    pub total: usize,
    /// Names of the others.
    pub left: Vec<&'a str>,
}

/// Ignores everything.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Observer for Silent {
    fn finished(&mut self, _task: &PoolTask, _result: &TaskResult) {}
    fn tick(&mut self, _progress: &Progress) {}
    fn warn(&mut self, _message: &str) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_follows_the_rate() {
        let minute = Duration::from_secs(60);
        assert_eq!(Progress::estimate(minute, 0.25), Some(3 * minute));
        assert_eq!(Progress::estimate(minute, 1.0), Some(Duration::ZERO));
        assert_eq!(Progress::estimate(minute, 0.0), None);
    }
}
