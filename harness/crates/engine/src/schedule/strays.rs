//! Processes that a worker started and that left its process group.
//!
//! A plugin's child that calls `setsid` is in no group of ours, and once its parent is gone it is
//! nobody's descendant. What it keeps is its environment, in which every worker has a mark of its
//! own. One that also clears its environment escapes: this contains accidents and is no sandbox.

use std::fs::{self, File};
use std::io::Read as _;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// The environment variable that holds the mark.
pub(super) const VARIABLE: &str = "HARNESS_WORKER_MARK";

/// Times that the list of processes is read: what was forked meanwhile is seen the next time.
const ROUNDS: usize = 100;

/// Times that processes without a readable environment are looked at again, and the wait before.
const LOOKS: usize = 25;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// Bytes of an environment that are looked at.
const LONGEST: usize = 1 << 20;

/// Ends every process with this mark.
pub(super) fn kill(mark: &str) {
    let mut looks = 0;
    for _ in 0..ROUNDS {
        let found = Found::read(mark);
        if found.marked.is_empty() {
            if !found.unclear || looks == LOOKS {
                return;
            }
            looks += 1;
            thread::sleep(BETWEEN_LOOKS);
            continue;
        }
        // A process that is stopped forks no more; then all of them can be ended.
        for signal in [Signal::STOP, Signal::KILL] {
            for process in &found.marked {
                // Fails only if it has ended.
                let _ = kill_process(*process, signal);
            }
        }
    }
}

/// What the list of processes holds; nothing on systems without /proc.
#[derive(Default)]
struct Found {
    /// The living processes with the mark.
    marked: Vec<Pid>,
    /// Whether a living process shows no environment. In the middle of `execve` it has lost its old
    /// one and has no new one yet, so it may turn out to have the mark.
    unclear: bool,
}

impl Found {
    fn read(mark: &str) -> Self {
        let wanted = format!("{VARIABLE}={mark}");
        let mut found = Self::default();
        let mut buffer = vec![0; LONGEST];
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.parse().ok());
            let Some(process) = number.and_then(Pid::from_raw) else {
                continue;
            };
            // One read: between two, an `execve` would cut the environment off. Refused for a
            // process of another user.
            let environment = File::open(entry.path().join("environ"))
                .and_then(|mut file| file.read(&mut buffer));
            let Ok(environment) = environment.map(|length| &buffer[..length]) else {
                continue;
            };
            let mut variables = environment.split(|byte| *byte == 0);
            if variables.any(|variable| variable == wanted.as_bytes()) {
                found.marked.push(process);
            } else if environment.is_empty() {
                // Kernel threads and processes that have ended have no executable either.
                found.unclear |= fs::read_link(entry.path().join("exe")).is_ok();
            }
        }
        found
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;
    use std::time::Instant;

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
        let found = || Found::read(&mark).marked;
        let start = Instant::now();
        while found().is_empty() {
            assert!(start.elapsed() < Duration::from_secs(5), "it never started");
            thread::sleep(Duration::from_millis(1));
        }
        // Often in the middle of an `execve`, where it shows no mark.
        kill(&mark);
        // A process that was killed is there until the system has taken it down.
        let start = Instant::now();
        while !found().is_empty() && start.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(found(), []);
    }
}
