//! Digests of image files, remembered by the size and modification time of each file.
//!
//! A data set is identified by the bytes of its images; hashing all of them each time it is
//! opened would take minutes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::atomic::write_atomically;
use crate::digest::sha256_hex;

/// A file this young may change once more without its time showing it.
const SETTLED: Duration = Duration::from_secs(2);

/// Size and time of a file, by which it is known to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    length: u64,
    /// Nanoseconds since 1970.
    modified: u128,
}

impl Stamp {
    /// None for a file whose time says nothing.
    pub fn of(metadata: &Metadata) -> Option<Stamp> {
        let modified = metadata.modified().ok()?;
        let age = SystemTime::now().duration_since(modified).ok()?;
        let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        (age > SETTLED).then_some(Stamp {
            length: metadata.len(),
            modified: since.as_nanos(),
        })
    }
}

/// Known digests of one data set. Losing them costs only time, so nothing here fails.
pub struct FileDigests {
    file: Option<PathBuf>,
    known: HashMap<String, (Stamp, String)>,
    is_new: bool,
}

impl FileDigests {
    /// The digests of the data set at `path`, from a file of `folder`.
    pub fn open(folder: Option<&Path>, path: &Path) -> FileDigests {
        let path = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let digest = sha256_hex(path.as_os_str().as_encoded_bytes());
        let name = |folder: &Path| folder.join(format!("{digest}.tsv"));
        let file = folder.map(name);
        let text = file
            .as_ref()
            .and_then(|file| fs_err::read_to_string(file).ok());
        let lines = text.iter().flat_map(|text| text.lines());
        FileDigests {
            known: lines.filter_map(entry).collect(),
            file,
            is_new: false,
        }
    }

    /// The digest of the file `key`, if it still has this stamp.
    pub fn get(&self, key: &str, stamp: Stamp) -> Option<&str> {
        let (known, sha256) = self.known.get(key)?;
        (*known == stamp).then_some(sha256.as_str())
    }

    /// Adds what was just hashed.
    pub fn remember(&mut self, found: Option<(String, Stamp, String)>) {
        if let Some((key, stamp, sha256)) = found.filter(|(key, ..)| !key.contains(['\n', '\r'])) {
            self.known.insert(key, (stamp, sha256));
            self.is_new = true;
        }
    }

    /// Writes what was learnt, whole or not at all.
    pub fn save(&self) {
        if let Some(file) = self.file.as_ref().filter(|_| self.is_new) {
            let _ = self.write(file);
        }
    }

    fn write(&self, file: &Path) -> std::io::Result<()> {
        let folder = file.parent().unwrap_or(Path::new(""));
        fs_err::create_dir_all(folder)?;
        let mut lines = String::new();
        for (key, (stamp, sha256)) in &self.known {
            // Writing to a String cannot fail.
            let _ = writeln!(
                lines,
                "{sha256}\t{}\t{}\t{key}",
                stamp.length, stamp.modified
            );
        }
        write_atomically(file, lines.as_bytes())
    }
}

fn entry(line: &str) -> Option<(String, (Stamp, String))> {
    let mut fields = line.splitn(4, '\t');
    let sha256 = fields.next().filter(|text| text.len() == 64)?.to_owned();
    let stamp = Stamp {
        length: fields.next()?.parse().ok()?,
        modified: fields.next()?.parse().ok()?,
    };
    Some((fields.next()?.to_owned(), (stamp, sha256)))
}
