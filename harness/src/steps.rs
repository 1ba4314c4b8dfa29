//! Progress of work that is counted in steps, on stderr.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Time between two lines where stderr is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

/// A bar on a terminal, a line every few seconds elsewhere.
pub(crate) struct Steps {
    what: &'static str,
    bar: Option<ProgressBar>,
    began: Instant,
    told: Instant,
}

impl Steps {
    pub(crate) fn new(what: &'static str) -> Self {
        let style = ProgressStyle::with_template("{bar:24} {pos} of {len}, {eta} left");
        let bar = style
            .ok()
            .filter(|_| stderr().is_terminal())
            .map(|style| ProgressBar::new(0).with_style(style));
        Self {
            what,
            bar,
            began: Instant::now(),
            told: Instant::now(),
        }
    }

    pub(crate) fn tell(&mut self, done: usize, total: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        } else if self.told.elapsed() >= PAUSE && done > 0 {
            self.told = Instant::now();
            let pace = self.began.elapsed().as_secs_f64() / done as f64;
            let left = pace * total.saturating_sub(done) as f64;
            say!("{} {done} of {total}, {left:.0} s left", self.what);
        }
    }

    /// Takes the bar away before results are printed.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
