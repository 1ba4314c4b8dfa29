//! What the run writes and the server reads.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use harness_render::export::{FormatError, page};
use harness_report::Report;

use crate::state::{ENDED, Ended, Running, State, TRAININGS, Training};

/// The state of a run and its report so far, shared between threads.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<Content>>);

#[derive(Debug, Default)]
struct Content {
    state: State,
    report: Option<Arc<Report>>,
    /// The page of the report of a version.
    page: Option<(u64, Arc<String>)>,
}

impl Board {
    /// A board for a run that is called `suite` until there is a report.
    pub fn new(suite: &str) -> Self {
        let board = Self::default();
        board.content().state.suite = suite.to_owned();
        board
    }

    /// Time passed.
    pub fn progress(
        &self,
        (done, total, share): (usize, usize, f64),
        (elapsed, left): (f64, Option<f64>),
        running: Vec<Running>,
        next: Vec<String>,
    ) {
        let state = &mut self.content().state;
        (state.done, state.total, state.share) = (done, total, share);
        (state.elapsed_seconds, state.left_seconds) = (elapsed, left);
        (state.running, state.next) = (running, next);
    }

    /// A task ended.
    pub fn ended(&self, task: Ended) {
        let state = &mut self.content().state;
        state.failures += usize::from(task.is_failure);
        push(&mut state.ended, task, ENDED);
    }

    /// A module was trained.
    pub fn trained(&self, training: Training) {
        push(&mut self.content().state.trainings, training, TRAININGS);
    }

    /// A warning for the user.
    pub fn warn(&self, message: &str) {
        push(
            &mut self.content().state.warnings,
            message.to_owned(),
            ENDED,
        );
    }

    /// The report on everything so far.
    pub fn report(&self, report: Report) {
        let mut content = self.content();
        content.state.version += 1;
        content.state.suite.clone_from(&report.suite.name);
        content.report = Some(Arc::new(report));
    }

    /// Nothing will change any more.
    pub fn over(&self) {
        let state = &mut self.content().state;
        state.is_over = true;
        state.running.clear();
    }

    pub(crate) fn state(&self) -> State {
        self.content().state.clone()
    }

    /// The page of the report so far, with its version; `None` before there is a report.
    pub(crate) fn page(&self) -> Option<Result<(u64, Arc<String>), FormatError>> {
        let (version, report) = {
            let content = self.content();
            let version = content.state.version;
            if let Some((of, page)) = &content.page
                && *of == version
            {
                return Some(Ok((version, Arc::clone(page))));
            }
            (version, Arc::clone(content.report.as_ref()?))
        };
        // Without the lock: the run does not wait for a page.
        Some(page(&report).map(|page| {
            let page = Arc::new(page);
            self.content().page = Some((version, Arc::clone(&page)));
            (version, page)
        }))
    }

    pub(crate) fn report_json(&self) -> Option<Vec<u8>> {
        let report = self.content().report.clone()?;
        report.to_json().ok()
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts the newest first and drops the oldest.
fn push<T>(all: &mut VecDeque<T>, one: T, most: usize) {
    all.push_front(one);
    all.truncate(most);
}
