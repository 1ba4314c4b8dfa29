//! The machine and the working tree, for the report.

use std::path::Path;
use std::process::Command;

use harness_report::{Cpu, Git};

/// The processor, as the system names it.
pub fn cpu() -> Cpu {
    let text = fs_err::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .filter(|line| line.starts_with("model name"))
        .find_map(|line| Some(line.split_once(':')?.1.trim().to_owned()));
    Cpu {
        model: model.unwrap_or_else(|| format!("unknown {}", std::env::consts::ARCH)),
        cores: u32::try_from(cores()).unwrap_or(u32::MAX),
    }
}

/// Logical cores this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Bytes that are available on the machine and to this process's control group; none on systems
/// without /proc.
pub(crate) fn memory() -> Option<u64> {
    let text = fs_err::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let group = fs_err::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = group.and_then(|text| text.trim().parse().ok());
    Some((kib << 10).min(limit.unwrap_or(u64::MAX)))
}

/// Bytes that this user may still write in the file system of a folder; none if it does not say.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// The working tree that the run was started in, if it is one.
pub(crate) fn git() -> Option<Git> {
    let revision = output(&["rev-parse", "HEAD"])?;
    let dirty = !output(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(Git { revision, dirty })
}

fn output(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    Some(String::from_utf8_lossy(&text).trim().to_owned())
}
