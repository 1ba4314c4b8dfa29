//! When to retry and when to give up.

use std::thread::sleep;
use std::time::Duration;

use super::error::FetchError;
use super::progress::Progress;

/// How often and how long to retry.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts in a row without any new bytes.
    pub attempts: u32,
    /// Wait before the second attempt; doubled for each further one.
    pub first_wait: Duration,
    /// Longest wait; a server that asks for more is given up.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(300),
        }
    }
}

impl RetryPolicy {
    /// No second attempt.
    pub(crate) fn once(self) -> Self {
        Self {
            attempts: 1,
            ..self
        }
    }
}

/// A failure that may not happen again.
pub(crate) struct TransientFailure {
    pub(crate) reason: String,
    /// How long the server asked to wait.
    pub(crate) wait: Option<Duration>,
}

impl TransientFailure {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            wait: None,
        }
    }
}

/// Attempts at one URL.
pub(crate) struct Attempts {
    policy: RetryPolicy,
    failed: u32,
}

impl Attempts {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self { policy, failed: 0 }
    }

    /// Starts counting again after bytes arrived.
    pub(crate) fn reset(&mut self) {
        self.failed = 0;
    }

    /// Waits before the next attempt, or gives up.
    pub(crate) fn wait(
        &mut self,
        url: &str,
        failure: &TransientFailure,
        progress: &mut dyn Progress,
    ) -> Result<(), FetchError> {
        self.failed += 1;
        let give_up = |reason: String| FetchError::Unreachable {
            url: url.to_owned(),
            attempts: self.failed,
            reason,
        };
        if self.failed >= self.policy.attempts {
            return Err(give_up(failure.reason.clone()));
        }
        let longest = self.policy.longest_wait;
        let doubled = self.policy.first_wait * 2_u32.saturating_pow(self.failed - 1);
        let wait = failure.wait.unwrap_or(doubled.min(longest));
        if wait > longest {
            let seconds = wait.as_secs();
            return Err(give_up(format!(
                "{}; the server asked to wait {seconds} s",
                failure.reason
            )));
        }
        progress.note(&format!(
            "{url}: {}; retrying in {:.0} s",
            failure.reason,
            wait.as_secs_f64()
        ));
        sleep(wait);
        Ok(())
    }
}
