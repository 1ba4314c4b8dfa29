//! One submission of a suite at a time.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness_report::ExitCode;
use harness_store::sha256_hex;
use rustix::process::{Pid, test_kill_process};

use crate::failure::Failure;

/// How long a submission may take before it counts as given up.
const GIVEN_UP: Duration = Duration::from_secs(3600);

/// A file that exists while a suite is being submitted. Creating a file that must not exist is
/// one step on NFS as well, unlike its locks.
pub(crate) struct SubmitLock(PathBuf);

impl SubmitLock {
    /// # Errors
    /// The suite is being submitted, or the file cannot be written.
    pub(crate) fn take(store: &Path, suite: &Path) -> Result<Self, Failure> {
        let name = &sha256_hex(suite.as_os_str().as_encoded_bytes())[..16];
        let folder = store.join("submissions");
        let path = folder.join(format!("{name}.lock"));
        let fail = |error: std::io::Error| {
            let message = format!("{}: {error}", path.display());
            Failure::new(ExitCode::OutputNotWritten, message)
        };
        fs_err::create_dir_all(&folder).map_err(fail)?;
        for _ in 0..2 {
            let mut options = std::fs::OpenOptions::new();
            match options.write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    file.write_all(owner().as_bytes()).map_err(fail)?;
                    return Ok(Self(path));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if is_abandoned(&path) {
                        let _ = std::fs::remove_file(&path);
                    }
                }
                Err(error) => return Err(fail(error)),
            }
        }
        let holder = std::fs::read_to_string(&path).unwrap_or_default();
        let message = format!("this suite is being submitted by process {holder}");
        Err(Failure::new(ExitCode::SetUp, message).hint(format!(
            "wait for it; if it is gone, remove {}",
            path.display()
        )))
    }
}

impl Drop for SubmitLock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

fn owner() -> String {
    format!("{} on {}", std::process::id(), host())
}

fn is_abandoned(path: &Path) -> bool {
    let written = std::fs::metadata(path).and_then(|about| about.modified());
    if written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age > GIVEN_UP)) {
        return true;
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let Some((process, place)) = text.split_once(" on ") else {
        return false;
    };
    let process = process.parse().ok().and_then(Pid::from_raw);
    let is_gone = |process| test_kill_process(process) == Err(rustix::io::Errno::SRCH);
    place == host() && process.is_some_and(is_gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_submission_is_refused_and_a_dead_one_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let suite = Path::new("suite.yaml");
        let first = SubmitLock::take(folder.path(), suite).unwrap();
        assert!(SubmitLock::take(folder.path(), suite).is_err());
        assert!(SubmitLock::take(folder.path(), Path::new("other.yaml")).is_ok());
        drop(first);
        let again = SubmitLock::take(folder.path(), suite).unwrap();
        let dead = format!("{} on {}", i32::MAX, host());
        std::fs::write(&again.0, dead).unwrap();
        assert!(SubmitLock::take(folder.path(), suite).is_ok());
    }
}
