//! The CPU time of open units on this machine.

use super::model::Operations;
use super::throughput::{Throughput, ThroughputError};

/// CPU time of the units that are not stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub cpu_hours: f64,
    /// Measured before.
    pub throughput: Throughput,
}

impl Estimate {
    /// Measures this machine's throughput. None if no tower runs.
    ///
    /// # Errors
    /// The throughput cannot be measured.
    pub(crate) fn of(operations: Operations) -> Result<Option<Self>, ThroughputError> {
        if operations == Operations::default() {
            return Ok(None);
        }
        let throughput = Throughput::measure()?;
        Ok(Some(Self {
            cpu_hours: operations.seconds(throughput) / 3600.0,
            throughput,
        }))
    }
}
