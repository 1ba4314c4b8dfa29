//! When to try again, and when to give up.

use std::thread::sleep;
use std::time::Duration;

use super::error::FetchError;
use super::progress::Progress;

/// How often and how patiently a server is asked again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Attempts in a row that brought nothing.
    pub attempts: u32,
    /// Wait before the second attempt; doubled before each further one.
    pub first_wait: Duration,
    /// Longest wait that a server may ask for.
    pub longest_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(300),
        }
    }
}

/// Something that another attempt may get past.
pub(crate) struct Setback {
    pub(crate) reason: String,
    /// What the server asked to wait.
    pub(crate) wait: Option<Duration>,
}

impl Setback {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            wait: None,
        }
    }
}

/// Attempts at one URL.
pub(crate) struct Attempts {
    patience: Patience,
    failed: u32,
}

impl Attempts {
    pub(crate) fn new(patience: Patience) -> Self {
        Self {
            patience,
            failed: 0,
        }
    }

    /// Something arrived: the server is worth asking again.
    pub(crate) fn reset(&mut self) {
        self.failed = 0;
    }

    /// Waits before the next attempt, or gives up.
    pub(crate) fn wait(
        &mut self,
        url: &str,
        setback: &Setback,
        progress: &mut dyn Progress,
    ) -> Result<(), FetchError> {
        self.failed += 1;
        let give_up = |reason: String| FetchError::Unreachable {
            url: url.to_owned(),
            attempts: self.failed,
            reason,
        };
        if self.failed >= self.patience.attempts {
            return Err(give_up(setback.reason.clone()));
        }
        let longest = self.patience.longest_wait;
        let doubled = self.patience.first_wait * 2_u32.saturating_pow(self.failed - 1);
        let wait = setback.wait.unwrap_or(doubled.min(longest));
        if wait > longest {
            let seconds = wait.as_secs();
            return Err(give_up(format!(
                "{}; the server asks to wait {seconds} s",
                setback.reason
            )));
        }
        progress.note(&format!(
            "{url}: {}; trying again in {:.0} s",
            setback.reason,
            wait.as_secs_f64()
        ));
        sleep(wait);
        Ok(())
    }
}
