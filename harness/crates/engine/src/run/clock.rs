//! The time of day as RFC 3339 in UTC.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};

/// Now, to the second.
pub(crate) fn now_rfc3339() -> String {
    rfc3339(SystemTime::now())
}

fn rfc3339(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::rfc3339;

    #[test]
    fn the_report_has_whole_seconds_and_a_z() {
        let time = UNIX_EPOCH + Duration::from_millis(951_782_399_900);
        assert_eq!(rfc3339(time), "2000-02-28T23:59:59Z");
    }
}
