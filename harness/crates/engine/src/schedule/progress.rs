//! How far a run is.

use std::time::Duration;

use super::{Task, TaskResult};

/// How far a run is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    pub done: usize,
    pub total: usize,
    /// Share of the weight that is done, in [0, 1].
    pub share: f64,
    /// Names of the tasks in hand.
    pub running: Vec<String>,
    pub elapsed: Duration,
    /// Time left at the pace so far; none before anything is done.
    pub left: Option<Duration>,
}

impl Progress {
    pub(crate) fn estimate(elapsed: Duration, share: f64) -> Option<Duration> {
        // Too early a guess is worse than none.
        if share < 0.01 {
            return None;
        }
        let seconds = elapsed.as_secs_f64() * (1.0 - share).max(0.0) / share;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// Told of every task that ends, and several times a second of the whole.
pub trait Observer {
    /// A task ended.
    fn finished(&mut self, task: &Task, result: &TaskResult);
    /// Time passed.
    fn tick(&mut self, progress: &Progress);
    /// Something is worth a line on stderr.
    fn warn(&mut self, message: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Observer for Silent {
    fn finished(&mut self, _task: &Task, _result: &TaskResult) {}
    fn tick(&mut self, _progress: &Progress) {}
    fn warn(&mut self, _message: &str) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_follows_the_pace() {
        let minute = Duration::from_secs(60);
        assert_eq!(Progress::estimate(minute, 0.25), Some(3 * minute));
        assert_eq!(Progress::estimate(minute, 1.0), Some(Duration::ZERO));
        assert_eq!(Progress::estimate(minute, 0.0), None);
    }
}
