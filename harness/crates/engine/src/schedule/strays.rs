//! Processes that a worker started and that left its process group.
//!
//! A plugin's child that calls `setsid` is in no group of ours, and once its parent is gone it is
//! nobody's descendant. What it keeps is its environment, in which every worker has a mark of its
//! own. One that also clears its environment escapes: this contains accidents and is no sandbox.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// The environment variable that holds the mark.
pub(super) const VARIABLE: &str = "HARNESS_WORKER_MARK";

/// Times that the list of processes is read: what was forked meanwhile is seen the next time.
const ROUNDS: usize = 100;

/// Ends every process with this mark.
pub(super) fn kill(mark: &str) {
    for _ in 0..ROUNDS {
        let found = marked(mark);
        if found.is_empty() {
            return;
        }
        // A process that is stopped forks no more; then all of them can be ended.
        for signal in [Signal::STOP, Signal::KILL] {
            for process in &found {
                // Fails only if it has ended.
                let _ = kill_process(*process, signal);
            }
        }
    }
}

/// The living processes with this mark; none on systems without /proc.
fn marked(mark: &str) -> Vec<Pid> {
    let wanted = format!("{VARIABLE}={mark}");
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            // Empty for a process that has ended, refused for one of another user.
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let mut variables = environment.split(|byte| *byte == 0);
            variables
                .any(|one| one == wanted.as_bytes())
                .then_some(())?;
            Pid::from_raw(number)
        })
        .collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_child_that_left_group_and_parent_is_found_by_its_mark() {
        let mark = format!("test-{}", std::process::id());
        let status = Command::new("sh")
            .args([
                "-c",
                "setsid sh -c 'sleep 1000 & sleep 1000' >/dev/null 2>&1 &",
            ])
            .env(VARIABLE, &mark)
            .status()
            .unwrap();
        assert!(status.success());
        let start = Instant::now();
        while marked(&mark).is_empty() && start.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!marked(&mark).is_empty());
        kill(&mark);
        // A process that was killed is there until the system has taken it down.
        let start = Instant::now();
        while !marked(&mark).is_empty() && start.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(marked(&mark), []);
    }
}
