//! What the page is told of a run.

use std::collections::VecDeque;

use serde::Serialize;

/// Ended tasks that are kept.
pub(crate) const ENDED: usize = 40;
/// Trainings whose losses are kept.
pub(crate) const TRAININGS: usize = 12;

/// The state of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct State {
    pub suite: String,
    /// Tasks that have ended, of all that were not stored.
    pub done: usize,
    pub total: usize,
    /// Share of the work that is done, in [0, 1].
    pub share: f64,
    pub elapsed_seconds: f64,
    /// None until there is enough to go by.
    pub left_seconds: Option<f64>,
    pub running: Vec<Running>,
    /// The first tasks that wait.
    pub next: Vec<String>,
    /// Newest first.
    pub ended: VecDeque<Ended>,
    /// Newest first.
    pub trainings: VecDeque<Training>,
    /// Tasks that failed, crashed or took too long.
    pub failures: usize,
    /// Warnings, newest first.
    pub warnings: VecDeque<String>,
    /// Counts reports, 0 before the first.
    pub version: u64,
    /// Whether the run has ended, and nothing will change any more.
    pub is_over: bool,
}

/// A task in progress.
#[derive(Clone, Debug, Serialize)]
pub struct Running {
    pub name: String,
    /// Share that is done, in [0, 1].
    pub share: f64,
    pub seconds: f64,
}

/// A task that ended.
#[derive(Clone, Debug, Serialize)]
pub struct Ended {
    pub name: String,
    /// `done`, `not-injectable`, `failed`, `crashed` or `timed-out`.
    pub word: &'static str,
    pub message: String,
    pub seconds: Option<f64>,
    pub is_failure: bool,
}

/// The losses of a training.
#[derive(Clone, Debug, Serialize)]
pub struct Training {
    pub name: String,
    /// Mean loss of each of the equal stretches of its steps.
    pub losses: Vec<f32>,
}
