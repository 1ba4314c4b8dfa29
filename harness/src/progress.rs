//! Progress and warnings on stderr.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use harness_engine::schedule::{Observer, PoolTask, Progress, Reading, TaskResult};
use harness_render::terminal::one_line;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::interrupt;
use crate::stderr::{is_quiet, is_verbose, log};

/// Time between two lines where stderr is no terminal.
const PAUSE: Duration = Duration::from_secs(10);
/// Steps of the bar: shares are finer than tasks.
const STEPS: u64 = 1000;
/// Characters of a message.
const WIDEST: usize = 300;

/// A bar on a terminal, a line every few seconds elsewhere.
pub(crate) struct Reporter {
    bar: Option<ProgressBar>,
    told: Instant,
    /// Whether to print what plugins write.
    shows_logs: bool,
}

impl Reporter {
    pub(crate) fn new() -> Self {
        Self {
            bar: has_bar().then(bar),
            told: Instant::now(),
            shows_logs: false,
        }
    }

    /// Also prints what plugins write to stdout and stderr.
    pub(crate) fn with_logs(self, shows_logs: bool) -> Self {
        Self { shows_logs, ..self }
    }

    /// Takes the bar away before results are printed.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say!("{line}")),
            None => say!("{line}"),
        }
    }
}

impl Observer for Reporter {
    fn finished(&mut self, task: &PoolTask, result: &TaskResult) {
        let (word, message) = match result {
            TaskResult::Failed { message, .. } => ("failed", message.clone()),
            TaskResult::Crashed { message, .. } => ("crashed", message.clone()),
            TaskResult::TimedOut { seconds, .. } => {
                ("timed-out", format!("no answer within {seconds} s"))
            }
            TaskResult::Finished { usage, .. } => {
                let line = format!("done: {}, {:.1} s", task.name, usage.wall_seconds);
                let line = one_line(&line, WIDEST);
                match is_verbose() {
                    true => self.say(&line),
                    false => log(format_args!("{line}")),
                }
                return;
            }
            _ => return,
        };
        let line = format!("{word}: {}: {message}", task.name);
        self.say(&one_line(&line, WIDEST));
        if let Some(log) = &task.log {
            self.say(&format!("log: {}", log.display()));
        }
    }

    fn wants_logs(&self) -> bool {
        self.shows_logs
    }

    fn log(&mut self, task: &PoolTask, text: &str) {
        let name = one_line(&task.name, WIDEST);
        for line in text.lines() {
            self.say(&format!("{name}: {}", one_line(line, WIDEST)));
        }
    }

    fn tick(&mut self, progress: &Progress) {
        interrupt::scheduling();
        let left = progress.left.map_or_else(
            || "time left unknown".to_owned(),
            |left| format!("{} left", HumanDuration(left)),
        );
        let count = format!("{} of {}", progress.done, progress.total);
        let running = progress.running.iter().map(|task| task.name.as_str());
        let running = running.collect::<Vec<_>>().join("; ");
        if let Some(bar) = &self.bar {
            bar.set_position((progress.share * STEPS as f64) as u64);
            bar.set_prefix(format!("{count}, {left}"));
            bar.set_message(one_line(&running, WIDEST));
        } else if self.told.elapsed() >= PAUSE && !is_quiet() {
            self.told = Instant::now();
            self.say(&one_line(
                &format!("{count} done, {left}: {running}"),
                WIDEST,
            ));
        }
    }

    fn reading(&mut self, progress: &Reading<'_>) {
        let Reading { done, total, left } = progress;
        let line = format!("{done} of {total} inputs read and hashed");
        let left = one_line(&left.join("; "), WIDEST);
        if let Some(bar) = &self.bar {
            bar.set_position(*done as u64 * STEPS / (*total).max(1) as u64);
            bar.set_prefix(line);
            bar.set_message(left);
        } else if self.told.elapsed() >= PAUSE && !is_quiet() {
            self.told = Instant::now();
            self.say(&format!("{line}, left: {left}"));
        }
    }

    fn warn(&mut self, message: &str) {
        self.say(&format!("warning: {}", one_line(message, WIDEST)));
    }
}

fn has_bar() -> bool {
    stderr().is_terminal() && !is_quiet()
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{bar:24} {prefix}  {wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Progress of one long count, as the reporter shows it.
pub(crate) struct Counter {
    bar: Option<ProgressBar>,
    what: &'static str,
    started: Instant,
    told: Instant,
}

impl Counter {
    pub(crate) fn new(what: &'static str) -> Self {
        Self {
            bar: has_bar().then(bar),
            what,
            started: Instant::now(),
            told: Instant::now(),
        }
    }

    pub(crate) fn tick(&mut self, done: usize, total: usize) {
        let share = done as f64 / total.max(1) as f64;
        let elapsed = self.started.elapsed().as_secs_f64();
        let left = Duration::from_secs_f64(elapsed * (1.0 - share) / share.max(1e-9));
        let line = || {
            format!(
                "{done} of {total} {}, {} left",
                self.what,
                HumanDuration(left)
            )
        };
        if let Some(bar) = &self.bar {
            bar.set_position((share * STEPS as f64) as u64);
            bar.set_prefix(line());
        } else if self.told.elapsed() >= PAUSE && !is_quiet() {
            self.told = Instant::now();
            say!("{}", line());
        }
    }

    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
