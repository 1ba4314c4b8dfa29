//! Names of unfinished files, and whether what writes them may still run.
//!
//! A number tells one process from another only on one machine and in one container, and
//! several of them may share a folder. A name therefore says where its process counts, and has
//! a random part of its own.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, test_kill_process};

use crate::digest::sha256_hex;

const PREFIX: &str = ".tmp-";
/// Ending of a module that a worker is writing.
const DRAFT: &str = ".part";

/// How long an unfinished file may rest. Writing renews its time, so that it needs no other
/// sign of life.
const ABANDONED: Duration = Duration::from_secs(3600);

/// This process as names of files carry it: where it counts, its number and a random part.
static OWNER: LazyLock<String> =
    LazyLock::new(|| format!("{}-{}-{:016x}", *PLACE, std::process::id(), random()));

/// The boot of this machine and the namespace in which process numbers are given; random where
/// the system does not say, so that it equals no other.
static PLACE: LazyLock<String> = LazyLock::new(|| {
    let boot = std::fs::read("/proc/sys/kernel/random/boot_id");
    let namespace = std::fs::read_link("/proc/self/ns/pid");
    let text = match (boot, namespace) {
        (Ok(boot), Ok(namespace)) => {
            [boot, namespace.into_os_string().into_encoded_bytes()].concat()
        }
        _ => random().to_le_bytes().to_vec(),
    };
    sha256_hex(&text)[..12].to_owned()
});

/// The system's random numbers seed the standard library's hash maps.
fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// Prefix of the names of files that this process has not finished.
pub(crate) fn temporary_prefix() -> String {
    format!("{PREFIX}{}-", *OWNER)
}

/// Name of a module that this process has a worker write, before it is known to be whole.
pub(crate) fn draft_name(name: &str) -> String {
    format!("{name}.{}{DRAFT}", *OWNER)
}

/// Whether a file of this name, last written at `written`, is unfinished, and if so, whether
/// what wrote it is gone. `None` for any other file.
pub(crate) fn is_abandoned(path: &Path, written: SystemTime) -> Option<bool> {
    let name = path.file_name()?.to_str()?;
    let owner = if let Some(rest) = name.strip_suffix(DRAFT) {
        rest.rsplit_once('.').map(|(_, owner)| owner)
    } else {
        name.strip_prefix(".tmp")
            .map(|rest| rest.trim_start_matches('-'))
            .map(Some)?
    };
    let is_old = || written.elapsed().is_ok_and(|age| age > ABANDONED);
    let mut parts = owner.unwrap_or_default().split('-');
    let process = match (parts.next(), parts.next()) {
        (Some(place), Some(process)) if place == *PLACE => process.parse().ok(),
        _ => None,
    };
    Some(match process {
        Some(process) => !is_running(process),
        None => is_old(),
    })
}

fn is_running(process: u32) -> bool {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    // A process of another user answers with a refusal, which is an answer too.
    pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A name as a process of this machine with this number would give it.
    pub(crate) fn temporary_name(process: u32) -> String {
        format!("{PREFIX}{}-{process}-0-x", *PLACE)
    }

    /// A draft's name likewise.
    pub(crate) fn draft_name_of(process: u32) -> String {
        format!("k.{}-{process}-0{DRAFT}", *PLACE)
    }

    fn judged(name: &str, age: Duration) -> Option<bool> {
        is_abandoned(Path::new(name), SystemTime::now() - age)
    }

    #[test]
    fn what_this_process_writes_is_in_use_however_old() {
        let day = Duration::from_secs(86_400);
        assert_eq!(
            judged(&format!("{}abc", temporary_prefix()), day),
            Some(false)
        );
        assert_eq!(judged(&draft_name("0123"), day), Some(false));
    }

    #[test]
    fn a_process_of_this_machine_that_is_gone_leaves_leftovers_at_once() {
        // Linux gives no process a number this large.
        let dead = i32::MAX as u32;
        assert_eq!(judged(&temporary_name(dead), Duration::ZERO), Some(true));
        assert_eq!(judged(&draft_name_of(dead), Duration::ZERO), Some(true));
    }

    #[test]
    fn a_file_of_another_machine_is_given_up_only_when_it_rests() {
        let (now, long) = (Duration::ZERO, Duration::from_secs(7200));
        for name in [
            ".tmp-0123456789ab-1-00ff-x",
            "k.0123456789ab-1-00ff.part",
            ".tmpAbCd",
            "k.17.part",
        ] {
            assert_eq!(judged(name, now), Some(false), "{name}");
            assert_eq!(judged(name, long), Some(true), "{name}");
        }
        for name in ["k.safetensors", "tmp-1-x", "0123"] {
            assert_eq!(judged(name, long), None, "{name}");
        }
    }
}
