//! What a job cost.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::job::Usage;

/// Linux's USER_HZ, in which /proc gives times.
const TICKS: f64 = 100.0;

/// Clocks at the start of a job. What a plugin works with in a process of its own counts as well.
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
    let own = time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9;
    let children = children();
    own + children
        .iter()
        .filter_map(|child| ticks(child))
        .sum::<f64>()
        / TICKS
}

/// Process ids of the living children; none on systems without /proc.
fn children() -> Vec<String> {
    let threads = fs_err::read_dir("/proc/self/task").into_iter().flatten();
    let lists = threads.flatten().filter_map(|thread| {
        let list = thread.path().join("children");
        std::fs::read_to_string(list).ok()
    });
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// User and system time of a process and of its own children that have ended, in clock ticks.
fn ticks(process: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let times = fields.split_whitespace().skip(11).take(4);
    Some(times.filter_map(|field| field.parse::<f64>().ok()).sum())
}

/// The kernel's high-water marks; 0 on systems without /proc.
fn peak_mib() -> f64 {
    let children = children();
    let children = children.iter().map(|child| peak_of(child));
    peak_of("self") + children.sum::<f64>()
}

fn peak_of(process: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
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
