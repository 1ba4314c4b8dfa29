//! What the tasks of a stage ask a cluster for.

use serde::{Deserialize, Serialize};

/// Wall time asked for in estimates: compute nodes are often slower than the machine that
/// estimates, and share their file system.
pub const TIME_FACTOR: f64 = 2.0;
/// Memory asked for in estimates.
const MEMORY_FACTOR: f64 = 1.5;
/// MiB of the program itself, beside its workers.
const PROGRAM_MIB: u64 = 256;
/// Least minutes asked for: hashing of inputs, a slow file system.
const LEAST_MINUTES: u64 = 10;
/// Bytes of a MiB.
const MIB: u64 = 1 << 20;

/// What each task of a stage asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Request {
    /// Worker processes, one thread each.
    pub cpus: usize,
    pub memory_mib: u64,
    pub minutes: u64,
    /// GPUs; none asks for none.
    pub gpus: u32,
}

/// The least that units need which did not get by with less before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    pub memory_mib: u64,
    pub minutes: u64,
}

impl Floor {
    /// Twice what was asked for, of what ran out.
    pub fn after(request: &Request, memory: bool, time: bool) -> Self {
        Self {
            memory_mib: if memory { 2 * request.memory_mib } else { 0 },
            minutes: if time { 2 * request.minutes } else { 0 },
        }
    }

    /// The larger of each.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            memory_mib: self.memory_mib.max(other.memory_mib),
            minutes: self.minutes.max(other.minutes),
        }
    }
}

/// Memory in MiB for `workers` of `worker_bytes` each.
pub(super) fn memory_mib(worker_bytes: u64, workers: usize, floor: Floor) -> u64 {
    let workers_mib = worker_bytes.div_ceil(MIB).saturating_mul(workers as u64);
    let asked = (workers_mib as f64 * MEMORY_FACTOR).ceil() as u64;
    asked.saturating_add(PROGRAM_MIB).max(floor.memory_mib)
}

/// Minutes for a task estimated to take `seconds` of wall time.
pub(super) fn minutes(seconds: f64, factor: f64, floor: Floor) -> u64 {
    let asked = (seconds * factor / 60.0).ceil() as u64;
    asked.max(LEAST_MINUTES).max(floor.minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_out_is_doubled_and_the_rest_is_not() {
        let request = Request {
            cpus: 2,
            memory_mib: 1000,
            minutes: 30,
            gpus: 0,
        };
        let floor = Floor::after(&request, true, false);
        assert_eq!(memory_mib(100 << 20, 2, floor), 2000);
        assert_eq!(memory_mib(100 << 20, 2, Floor::default()), 300 + 256);
        assert_eq!(minutes(3600.0, TIME_FACTOR, floor), 120);
        assert_eq!(minutes(1.0, TIME_FACTOR, floor), LEAST_MINUTES);
        let late = Floor::after(&request, false, true);
        assert_eq!(minutes(1.0, TIME_FACTOR, floor.or(late)), 60);
    }
}
