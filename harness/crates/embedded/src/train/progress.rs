//! One line on stderr now and then: step, loss, time left.

use std::time::Instant;

pub(crate) struct Progress {
    what: String,
    steps: usize,
    start: Instant,
    loss: f32,
}

const EVERY: usize = 50;

impl Progress {
    pub(crate) fn new(what: String, steps: usize) -> Self {
        Self {
            what,
            steps,
            start: Instant::now(),
            loss: f32::NAN,
        }
    }

    /// Reports step `step`, counted from zero.
    pub(crate) fn tell(&mut self, step: usize, loss: f32) {
        self.loss = if self.loss.is_nan() {
            loss
        } else {
            0.95 * self.loss + 0.05 * loss
        };
        let done = step + 1;
        if done.is_multiple_of(EVERY) || done == self.steps {
            let seconds = self.start.elapsed().as_secs_f64();
            let left = seconds / done as f64 * (self.steps - done) as f64;
            eprintln!(
                "{}: step {done}/{}, loss {:.3}, {:.0} ms a step, {left:.0} s left",
                self.what,
                self.steps,
                self.loss,
                1e3 * seconds / done as f64
            );
        }
    }
}
