//! Waits until a file of a crate changes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(300);
/// Folders that building and running write to.
const WRITTEN: [&str; 3] = ["target", ".git", ".harness"];

/// What is on disk: each file with the time and size of its last change.
#[derive(PartialEq)]
pub(super) struct Snapshot(Vec<(PathBuf, Option<SystemTime>, u64)>);

impl Snapshot {
    /// Of a file, or of the files below a folder; of a Python file, of all that it may import.
    pub(super) fn of(path: &Path) -> Self {
        let is_python = |path: &Path| path.extension().is_some_and(|e| e == "py");
        if is_python(path) {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let mut all = Self::of_folder(folder.unwrap_or(Path::new(".")));
            all.0.retain(|(path, ..)| is_python(path));
            return all;
        }
        Self::of_folder(path)
    }

    fn of_folder(path: &Path) -> Self {
        let entries = WalkDir::new(path).sort_by_file_name().into_iter();
        let entries = entries.filter_entry(|entry| {
            let is_written = WRITTEN.iter().any(|name| entry.file_name() == *name);
            let is_environment = || entry.path().join("pyvenv.cfg").exists();
            entry.depth() == 0 || !is_written && !is_environment()
        });
        let files = entries
            .flatten()
            .filter(|entry| entry.file_type().is_file());
        let files = files.map(|entry| {
            let metadata = entry.metadata().ok();
            let changed = metadata.as_ref().and_then(|m| m.modified().ok());
            let size = metadata.map_or(0, |m| m.len());
            (entry.into_path(), changed, size)
        });
        Self(files.collect())
    }

    /// Waits for another state; false if it was interrupted.
    pub(super) fn wait_for_change(&self, path: &Path, cancel: &AtomicBool) -> bool {
        while !cancel.load(Ordering::Relaxed) {
            if Self::of(path) != *self {
                return true;
            }
            thread::sleep(PAUSE);
        }
        false
    }
}
