//! Digests of image files, remembered by the size and time of each file.
//!
//! Opening a data set names it by the bytes of its images. Most of them have not changed
//! since it was last opened, and reading them all again would take minutes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::Metadata;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::digest::sha256_hex;

/// A file this young may change once more without its time showing it.
const SETTLED: Duration = Duration::from_secs(2);

/// Size and time of a file, by which it is known to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    length: u64,
    /// Nanoseconds since 1970.
    modified: u128,
}

impl Stamp {
    /// None for a file whose time says nothing.
    pub(crate) fn of(metadata: &Metadata) -> Option<Stamp> {
        let modified = metadata.modified().ok()?;
        let age = SystemTime::now().duration_since(modified).ok()?;
        let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        (age > SETTLED).then_some(Stamp {
            length: metadata.len(),
            modified: since.as_nanos(),
        })
    }
}

/// What is remembered of one data set. Losing it costs time alone, so that nothing here fails.
pub(crate) struct DigestCache {
    file: Option<PathBuf>,
    known: HashMap<String, (Stamp, String)>,
    is_new: bool,
}

impl DigestCache {
    /// The digests of the data set at `path`, from a file of `folder`.
    pub(crate) fn open(folder: Option<&Path>, path: &Path) -> DigestCache {
        let path = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let digest = sha256_hex(path.as_os_str().as_encoded_bytes());
        let name = |folder: &Path| folder.join(format!("{digest}.tsv"));
        let file = folder.map(name);
        let text = file
            .as_ref()
            .and_then(|file| fs_err::read_to_string(file).ok());
        let lines = text.iter().flat_map(|text| text.lines());
        DigestCache {
            known: lines.filter_map(entry).collect(),
            file,
            is_new: false,
        }
    }

    pub(crate) fn get(&self, key: &str, stamp: Stamp) -> Option<&str> {
        let (known, sha256) = self.known.get(key)?;
        (*known == stamp).then_some(sha256.as_str())
    }

    pub(crate) fn remember(&mut self, found: Option<(String, Stamp, String)>) {
        if let Some((key, stamp, sha256)) = found.filter(|(key, ..)| !key.contains(['\n', '\r'])) {
            self.known.insert(key, (stamp, sha256));
            self.is_new = true;
        }
    }

    /// Writes what was learnt, whole or not at all.
    pub(crate) fn save(&self) {
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
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        draft.write_all(lines.as_bytes())?;
        draft.persist(file)?;
        Ok(())
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
