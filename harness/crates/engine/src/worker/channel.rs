//! The connection to the scheduler.

use std::{
    fs::File,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::{
    io::fcntl_dupfd_cloexec,
    stdio::{dup2_stdout, stderr, stdout},
};

use crate::job::Line;

/// Least time between two progress lines.
const PAUSE: Duration = Duration::from_millis(200);

/// Where lines go. Cheap to clone.
#[derive(Clone)]
pub(super) struct Channel {
    state: Arc<Mutex<State>>,
}

struct State {
    out: File,
    told: Instant,
}

impl Channel {
    /// Takes stdout for the protocol; what a plugin prints goes to the log.
    pub(super) fn take_stdout() -> io::Result<Self> {
        // What a plugin starts must not hold it open when the worker has ended.
        let out = File::from(fcntl_dupfd_cloexec(stdout(), 3)?);
        dup2_stdout(stderr())?;
        Ok(Self {
            state: Arc::new(Mutex::new(State {
                out,
                told: Instant::now(),
            })),
        })
    }

    pub(super) fn send(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_string(line).map_err(io::Error::other)?;
        text.push('\n');
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.out.write_all(text.as_bytes())
    }

    /// Sends progress, at most once in [`PAUSE`].
    pub(super) fn progress(&self, id: u64, done: u64, total: u64) -> io::Result<()> {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.told.elapsed() < PAUSE {
                return Ok(());
            }
            state.told = Instant::now();
        }
        self.send(&Line::Progress { id, done, total })
    }
}
