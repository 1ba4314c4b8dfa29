//! Reports while a run goes on.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use harness_report::Report;

use super::results::Results;
use crate::plan::{UnitIndex, UnitResult};
use crate::schedule::{Observer, PoolTask, Progress, Reading, TaskResult};

/// Receives a report on everything so far after results have come, as often as it can be made in a
/// small part of the time.
pub trait Watcher {
    fn report(&mut self, report: Report);
}

/// A report is made again after this many times what the last one took.
const COST: u32 = 20;

/// Collects results, and makes reports of them.
pub(super) struct Live<'l> {
    state: RefCell<State<'l>>,
    assemble: &'l dyn Fn(&Results) -> Option<Report>,
}

struct State<'l> {
    watcher: &'l mut dyn Watcher,
    results: Results,
    is_stale: bool,
    /// When a report may be made.
    next: Instant,
}

impl<'l> Live<'l> {
    pub(super) fn new(
        watcher: &'l mut dyn Watcher,
        assemble: &'l dyn Fn(&Results) -> Option<Report>,
    ) -> Self {
        let state = State {
            watcher,
            results: Results::default(),
            // What is to be measured is shown before anything is.
            is_stale: true,
            next: Instant::now(),
        };
        Self {
            state: RefCell::new(state),
            assemble,
        }
    }

    pub(super) fn settled(&self, unit: UnitIndex, result: &UnitResult) {
        let mut state = self.state.borrow_mut();
        state.results.insert(unit, result.clone());
        state.is_stale = true;
    }

    /// Makes a report if one is due.
    fn tick(&self) {
        let mut state = self.state.borrow_mut();
        let start = Instant::now();
        if !state.is_stale || start < state.next {
            return;
        }
        state.is_stale = false;
        if let Some(report) = (self.assemble)(&state.results) {
            state.watcher.report(report);
        }
        let took = start.elapsed().max(Duration::from_millis(25));
        state.next = Instant::now() + took * COST;
    }
}

/// An observer that also lets reports be made.
pub(super) struct Ticking<'t> {
    pub(super) observer: &'t mut dyn Observer,
    pub(super) live: &'t Live<'t>,
}

impl Observer for Ticking<'_> {
    fn finished(&mut self, task: &PoolTask, result: &TaskResult) {
        self.observer.finished(task, result);
    }

    fn wants_logs(&self) -> bool {
        self.observer.wants_logs()
    }

    fn log(&mut self, task: &PoolTask, text: &str) {
        self.observer.log(task, text);
    }

    fn tick(&mut self, progress: &Progress) {
        self.observer.tick(progress);
        self.live.tick();
    }

    fn reading(&mut self, progress: &Reading<'_>) {
        self.observer.reading(progress);
    }

    fn warn(&mut self, message: &str) {
        self.observer.warn(message);
    }
}
