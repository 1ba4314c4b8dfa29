//! Showing a run in a browser while it goes on.

use std::path::Path;
use std::time::Duration;

use harness_engine::job::JobOutput;
use harness_engine::run::Watcher;
use harness_engine::schedule::{Observer, PoolTask, Progress, Reading, TaskResult};
use harness_live::{Board, Ended, Running, ServeAddress, Server, Training};
use harness_report::{ExitCode, Report};

use crate::failure::Failure;

/// How long an open page may take to fetch the last report.
const LAST: Duration = Duration::from_secs(3);

/// A run that can be watched.
pub(crate) struct Shown {
    pub(crate) board: Board,
    server: Server,
}

/// Serves a run where that was asked for, and says where.
pub(crate) fn serve(address: Option<ServeAddress>, suite: &Path) -> Result<Option<Shown>, Failure> {
    let Some(address) = address else {
        return Ok(None);
    };
    let name = suite.file_stem().unwrap_or_default().to_string_lossy();
    let board = Board::new(&name);
    let server = Server::start(address, board.clone()).map_err(|error| {
        Failure::new(ExitCode::SetUp, error).hint("name another address, as in --serve=127.0.0.1:0")
    })?;
    if !address.is_loopback() {
        say!(
            "warning: whoever reaches this machine can read the run; --serve=127.0.0.1:PORT serves \
             this machine alone"
        );
    }
    say!("watch the run at {}", server.url());
    Ok(Some(Shown { board, server }))
}

impl Shown {
    /// Shows the report as it is at the end, and gives open pages a moment to fetch it.
    pub(crate) fn finish(self, report: &Report) {
        self.board.report(report.clone());
        self.server.finish(LAST);
    }
}

/// An observer that also tells a board.
pub(crate) struct Told<'o> {
    pub(crate) observer: &'o mut dyn Observer,
    pub(crate) board: &'o Board,
}

impl Observer for Told<'_> {
    fn finished(&mut self, task: &PoolTask, result: &TaskResult) {
        self.observer.finished(task, result);
        if let TaskResult::Finished { output, .. } = result
            && let JobOutput::Trained(trained) = &**output
            && !trained.losses.is_empty()
        {
            self.board.trained(Training {
                name: task.name.clone(),
                losses: trained.losses.clone(),
            });
        }
        if let Some(ended) = ended(task, result) {
            self.board.ended(ended);
        }
    }

    fn wants_logs(&self) -> bool {
        self.observer.wants_logs()
    }

    fn log(&mut self, task: &PoolTask, text: &str) {
        self.observer.log(task, text);
    }

    fn tick(&mut self, progress: &Progress) {
        self.observer.tick(progress);
        let running = progress.running.iter().map(|one| Running {
            name: one.name.clone(),
            share: one.share,
            seconds: one.elapsed.as_secs_f64(),
        });
        let times = (
            progress.elapsed.as_secs_f64(),
            progress.left.map(|left| left.as_secs_f64()),
        );
        self.board.progress(
            (progress.done, progress.total, progress.share),
            times,
            running.collect(),
            progress.next.clone(),
        );
    }

    fn reading(&mut self, progress: &Reading<'_>) {
        self.observer.reading(progress);
    }

    fn warn(&mut self, message: &str) {
        self.observer.warn(message);
        self.board.warn(message);
    }
}

/// What the page says of a task that ended.
fn ended(task: &PoolTask, result: &TaskResult) -> Option<Ended> {
    let (word, message, seconds) = match result {
        TaskResult::Finished { usage, .. } => ("done", String::new(), Some(usage.wall_seconds)),
        TaskResult::NotInjectable { reason } => ("not-injectable", reason.clone(), None),
        TaskResult::Failed { message, .. } => ("failed", message.clone(), None),
        TaskResult::Crashed { message, .. } => ("crashed", message.clone(), None),
        TaskResult::TimedOut { seconds, .. } => {
            let message = format!("no answer within {seconds} s");
            ("timed-out", message, None)
        }
        TaskResult::Blocked { .. } | TaskResult::NotRun => return None,
    };
    Some(Ended {
        name: task.name.clone(),
        word,
        message,
        seconds,
        is_failure: !matches!(word, "done" | "not-injectable"),
    })
}

/// Puts reports so far on a board.
pub(crate) struct OnBoard<'b>(pub(crate) &'b Board);

impl Watcher for OnBoard<'_> {
    fn report(&mut self, report: Report) {
        self.0.report(report);
    }
}
