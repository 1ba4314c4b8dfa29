//! What a job cost.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::job::Usage;

/// Clocks at the start of a job.
pub(super) struct Meter {
    wall: Instant,
    cpu: f64,
}

impl Meter {
    pub(super) fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: cpu_seconds(),
        }
    }

    pub(super) fn read(&self) -> Usage {
        Usage {
            wall_seconds: self.wall.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds() - self.cpu,
            peak_mib: peak_mib(),
        }
    }
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// The kernel's high-water mark; 0 on systems without /proc.
fn peak_mib() -> f64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| {
            rest.trim()
                .trim_end_matches("kB")
                .trim()
                .parse::<f64>()
                .ok()
        });
    kib.unwrap_or(0.0) / 1024.0
}
