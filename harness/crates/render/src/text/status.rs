//! Why a cell has no number.

use crate::text::sanitise::one_line;
use harness_report::Status;

/// Most columns of a reason.
const REASON: usize = 240;

/// A status in a word or two, for an entry of a table.
pub(crate) fn word(status: &Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::NotInjectable { .. } => "not injectable",
        Status::Failed { .. } => "failed",
        Status::Crashed { .. } => "crashed",
        Status::TimedOut { .. } => "timed out",
        Status::NotRun => "not run",
    }
}

/// Why, on one line; empty where there is nothing to say.
pub(crate) fn reason(status: &Status) -> String {
    match status {
        Status::Ok | Status::NotRun => String::new(),
        Status::NotInjectable { reason } => one_line(reason, REASON),
        Status::Failed { message } | Status::Crashed { message, .. } => one_line(message, REASON),
        Status::TimedOut { seconds, .. } => format!("no answer within {seconds} s"),
    }
}
