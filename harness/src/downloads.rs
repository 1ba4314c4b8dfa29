//! Downloads on stderr: a bar on a terminal, a line every few seconds elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use harness_engine::fetch::Progress;
use harness_engine::registry::readable;
use harness_render::terminal::one_line;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between two lines where stderr is no terminal.
const PAUSE: Duration = Duration::from_secs(10);
/// Characters of a message.
const WIDEST: usize = 300;

/// Shows one file after the other.
pub(crate) struct Downloads {
    bar: Option<ProgressBar>,
    file: String,
    size: Option<u64>,
    /// When the file began, and with how much of it there.
    begun: (Instant, u64),
    told: Instant,
}

impl Downloads {
    pub(crate) fn new() -> Self {
        Self {
            bar: None,
            file: String::new(),
            size: None,
            begun: (Instant::now(), 0),
            told: Instant::now(),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, line: &str) {
        let line = one_line(line, WIDEST);
        match &self.bar {
            Some(bar) => bar.suspend(|| say!("{line}")),
            None => say!("{line}"),
        }
    }

    /// "120 MB of 599 MB, 12 MB a second, 40 seconds left".
    fn so_far(&self, bytes: u64) -> String {
        let (begun, before) = self.begun;
        let seconds = begun.elapsed().as_secs_f64().max(0.001);
        let pace = bytes.saturating_sub(before) as f64 / seconds;
        let mut text = readable(bytes);
        if let Some(size) = self.size {
            text.push_str(&format!(" of {}", readable(size)));
        }
        text.push_str(&format!(", {} a second", readable(pace as u64)));
        let left = self
            .size
            .map(|size| size.saturating_sub(bytes) as f64 / pace);
        match left.and_then(|left| Duration::try_from_secs_f64(left).ok()) {
            Some(left) => text.push_str(&format!(", {} left", HumanDuration(left))),
            None => text.push_str(", time left unknown"),
        }
        text
    }
}

impl Progress for Downloads {
    fn begin(&mut self, file: &str, size: Option<u64>, have: u64) {
        file.clone_into(&mut self.file);
        self.size = size;
        self.begun = (Instant::now(), have);
        self.told = Instant::now();
        if stderr().is_terminal() {
            self.bar = Some(bar(file, size, have));
        } else {
            let size = size.map_or_else(|| "size unknown".to_owned(), readable);
            self.say(&format!("fetching {file}, {size}"));
        }
    }

    fn at(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
        } else if self.told.elapsed() >= PAUSE {
            self.told = Instant::now();
            self.say(&format!("{}: {}", self.file, self.so_far(bytes)));
        }
    }

    fn note(&mut self, message: &str) {
        self.say(message);
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn bar(file: &str, size: Option<u64>, have: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(size, ProgressDrawTarget::stderr());
    let template = match size {
        Some(_) => {
            "{msg} {bar:24} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left"
        }
        None => "{msg} {spinner} {decimal_bytes}, {decimal_bytes_per_sec}",
    };
    bar.set_position(have);
    bar.reset_eta();
    let bar = bar.with_message(one_line(file, WIDEST));
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
