//! The end of what a worker wrote on stderr, within a fixed amount of memory.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that are kept.
const KEPT: usize = 64 << 10;

/// Filled by its own thread, so that a worker never blocks on a full pipe.
#[derive(Clone, Default)]
pub(crate) struct Tail {
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    dropped: u64,
    closed: bool,
}

impl Tail {
    /// Reads `from` until it ends.
    pub(crate) fn follow(from: impl Read + Send + 'static) -> Self {
        let tail = Self::default();
        let writer = tail.clone();
        std::thread::spawn(move || writer.drain(from));
        tail
    }

    fn drain(&self, mut from: impl Read) {
        let mut buffer = [0; 8192];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let mut state = self.state();
            state.bytes.extend(&buffer[..read]);
            let surplus = state.bytes.len().saturating_sub(KEPT);
            state.bytes.drain(..surplus);
            state.dropped += surplus as u64;
        }
        self.state().closed = true;
        self.shared.1.notify_all();
    }

    /// Clears what was kept when a new job begins.
    pub(crate) fn clear(&self) {
        let mut state = self.state();
        state.bytes.clear();
        state.dropped = 0;
    }

    /// What is kept. Waits up to `patience` for the writer to close its end, so
    /// that it includes the last output of a worker that just ended.
    pub(crate) fn text(&self, patience: Duration) -> String {
        let (_, closing) = &*self.shared;
        let (state, _) = closing
            .wait_timeout_while(self.state(), patience, |state| !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = state.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if state.dropped > 0 {
            format!("[{} bytes before this were dropped]\n{text}", state.dropped)
        } else {
            text
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let (state, _) = &*self.shared;
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_the_rest_counted() {
        let text = "x".repeat(3 * KEPT) + "the end";
        let tail = Tail::follow(std::io::Cursor::new(text.into_bytes()));
        let kept = tail.text(Duration::from_secs(5));
        assert!(kept.ends_with("the end"));
        assert!(
            kept.starts_with(&format!("[{} bytes", 2 * KEPT + 7)),
            "{}",
            &kept[..60]
        );
        assert!(kept.len() < KEPT + 100);
        tail.clear();
        assert_eq!(tail.text(Duration::ZERO), "");
    }

    /// Reads a letter, is interrupted, reads another, and ends.
    struct Interrupted(usize);

    impl Read for Interrupted {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            match self.0 {
                2 => Err(ErrorKind::Interrupted.into()),
                1 | 3 => {
                    buffer[0] = b'a';
                    Ok(1)
                }
                _ => Ok(0),
            }
        }
    }

    #[test]
    fn a_signal_does_not_end_it() {
        let tail = Tail::follow(Interrupted(0));
        assert_eq!(tail.text(Duration::from_secs(5)), "aa");
    }
}
