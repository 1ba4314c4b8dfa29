//! Digests of image files, remembered by what the file system says of each file.
//!
//! A data set is identified by the bytes of its images; hashing all of them each time it is
//! opened would take minutes.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::digest::sha256_hex;
use crate::entry;
use crate::file_state::FileState;

/// A file this young may change once more without its times showing it: the coarsest clock
/// of a file system in use counts two seconds.
const SETTLED: Duration = Duration::from_secs(2);

/// By what a file is known to be the same. Its times can be set by anyone but the time of its
/// last status change, which only the system sets; device and number tell apart files that
/// were swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    /// Seconds and nanoseconds since 1970.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// None for a file that is too young, or whose times lie in the future: they say nothing.
    pub fn of(metadata: &Metadata) -> Option<Stamp> {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .ok()?;
        let settled = i64::try_from(now.checked_sub(SETTLED)?.as_secs()).ok()?;
        let stamp = Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        (stamp.modified.0 < settled && stamp.changed.0 < settled).then_some(stamp)
    }
}

/// Known digests of one data set. Losing them costs only time, so nothing here fails.
pub struct FileDigests {
    file: Option<PathBuf>,
    /// The key of the data set's path.
    key: String,
    known: BTreeMap<String, Known>,
    is_new: bool,
}

#[derive(Serialize, Deserialize)]
struct Known {
    stamp: Stamp,
    sha256: String,
}

/// What the file holds: its own key guards against renamed files.
#[derive(Deserialize)]
struct Record {
    key: String,
    files: BTreeMap<String, Known>,
}

#[derive(Serialize)]
struct RecordRef<'a> {
    key: &'a str,
    files: &'a BTreeMap<String, Known>,
}

impl FileDigests {
    /// The digests of the data set at `path`, from a file of `folder`. With `rehash` nothing is
    /// believed, and all of it replaced.
    pub fn open(folder: Option<&Path>, path: &Path, rehash: bool) -> FileDigests {
        let path = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let key = sha256_hex(path.as_os_str().as_encoded_bytes());
        let file = folder.map(|folder| folder.join(&key));
        // A damaged file counts as none.
        let record = file
            .as_ref()
            .filter(|_| !rehash)
            .and_then(|file| entry::read::<Record>(file).ok().flatten())
            .filter(|record| record.key == key);
        FileDigests {
            known: record.map(|record| record.files).unwrap_or_default(),
            file,
            key,
            is_new: false,
        }
    }

    /// The digest of the file `name`, if it still has this stamp.
    pub fn get(&self, name: &str, stamp: Stamp) -> Option<&str> {
        let known = self.known.get(name)?;
        (known.stamp == stamp).then_some(known.sha256.as_str())
    }

    /// Adds what was just hashed.
    pub fn remember(&mut self, found: Option<(String, Stamp, String)>) {
        if let Some((name, stamp, sha256)) = found {
            self.known.insert(name, Known { stamp, sha256 });
            self.is_new = true;
        }
    }

    /// Writes what was learnt, whole or not at all.
    pub fn save(&self) {
        if let Some(file) = self.file.as_ref().filter(|_| self.is_new) {
            let record = RecordRef {
                key: &self.key,
                files: &self.known,
            };
            let _ = entry::write(file, &record);
        }
    }

    /// What is wrong with a file of digests, if anything.
    pub(crate) fn verify(file: &Path) -> FileState {
        let name = file.file_name().and_then(|name| name.to_str());
        match entry::read::<Record>(file) {
            Ok(Some(record)) if Some(record.key.as_str()) != name => {
                FileState::Damaged("it belongs to another data set".to_owned())
            }
            Ok(_) => FileState::Good,
            Err(warning) => FileState::Damaged(warning.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(path: &Path) -> Stamp {
        let about = std::fs::metadata(path).unwrap();
        Stamp {
            device: about.dev(),
            inode: about.ino(),
            length: about.len(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
        }
    }

    #[test]
    fn other_bytes_of_the_same_size_and_time_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a.png"), folder.path().join("b.png"));
        std::fs::write(&path, "abc").unwrap();
        std::fs::write(&other, "abd").unwrap();
        let normalised = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for file in [&path, &other] {
            let file = std::fs::File::options().append(true).open(file).unwrap();
            file.set_modified(normalised).unwrap();
        }
        let before = stamp(&path);
        std::fs::rename(&other, &path).unwrap();
        let after = stamp(&path);
        assert_eq!(
            (before.length, before.modified),
            (after.length, after.modified)
        );
        assert_ne!(before, after);
    }

    #[test]
    fn a_file_that_has_just_changed_has_no_stamp_whatever_its_modification_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::write(&path, "abc").unwrap();
        let file = std::fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(5))
            .unwrap();
        assert_eq!(Stamp::of(&std::fs::metadata(&path).unwrap()), None);
    }

    #[test]
    fn what_was_learnt_comes_back_unless_the_file_is_damaged_or_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let (data, cache) = (folder.path().join("data"), folder.path().join("digests"));
        std::fs::create_dir(&data).unwrap();
        let about = stamp(&data);
        let mut digests = FileDigests::open(Some(&cache), &data, false);
        digests.remember(Some(("a\tb\n".to_owned(), about, "00".to_owned())));
        digests.save();
        let read = |rehash| {
            let digests = FileDigests::open(Some(&cache), &data, rehash);
            digests.get("a\tb\n", about).map(str::to_owned)
        };
        assert_eq!(read(false).as_deref(), Some("00"));
        assert_eq!(read(true), None);
        let file = std::fs::read_dir(&cache)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        assert_eq!(FileDigests::verify(&file), FileState::Good);
        let whole = std::fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(read(false), None, "bit flipped in byte {at}");
            assert!(matches!(FileDigests::verify(&file), FileState::Damaged(_)));
        }
        digests.save();
        assert_eq!(read(false).as_deref(), Some("00"));
    }
}
