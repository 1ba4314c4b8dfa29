//! What lies in the store, for people who look after it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::directory::ENDING;
use super::shard::Shard;
use super::{FeatureError, FeatureStore, ShardError};
use crate::regular;

/// A matrix of features, as far as it is stored.
#[derive(Debug)]
pub struct StoredFeatures {
    pub path: PathBuf,
    /// What people call it; empty if no shard could be read.
    pub title: String,
    pub view: String,
    /// `f32` or `f16`.
    pub precision: String,
    pub rows: usize,
    pub shards: usize,
    pub bytes: u64,
    /// When the last shard was written.
    pub written: Option<SystemTime>,
    /// Shards that are not what they should be, with the reason.
    pub damaged: Vec<(PathBuf, ShardError)>,
}

impl FeatureStore {
    /// Everything that is stored, each shard read and verified.
    ///
    /// # Errors
    /// [`FeatureError::Io`] if a folder or file cannot be read.
    pub fn entries(&self) -> Result<Vec<StoredFeatures>, FeatureError> {
        let mut folders = Vec::new();
        for entry in fs_err::read_dir(self.root())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            }
        }
        folders.sort();
        folders.iter().map(|folder| read(folder)).collect()
    }
}

fn read(folder: &Path) -> Result<StoredFeatures, FeatureError> {
    let mut entry = StoredFeatures {
        path: folder.to_owned(),
        title: String::new(),
        view: String::new(),
        precision: String::new(),
        rows: 0,
        shards: 0,
        bytes: 0,
        written: None,
        damaged: Vec::new(),
    };
    let mut files = Vec::new();
    for file in fs_err::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            files.push(path);
        }
    }
    files.sort();
    for path in files {
        let bytes = match regular::read(&path) {
            Ok(Some(bytes)) => bytes,
            // Another process may clean up at the same time.
            Ok(None) => continue,
            Err(error) => {
                let reason = ShardError::Unreadable(error.to_string());
                entry.damaged.push((path, reason));
                continue;
            }
        };
        entry.shards += 1;
        entry.bytes += bytes.len() as u64;
        let written = fs_err::metadata(&path).and_then(|about| about.modified());
        entry.written = entry.written.max(written.ok());
        match Shard::decode(&bytes).and_then(|shard| belongs(&path, &shard).map(|()| shard)) {
            Ok(shard) => {
                entry.rows += shard.rows;
                let field = |name| shard.field(name).unwrap_or_default().to_owned();
                entry.title = field("title");
                entry.view = field("view");
                entry.precision = field("precision");
            }
            Err(reason) => entry.damaged.push((path, reason)),
        }
    }
    Ok(entry)
}

/// A shard lies in the folder of its key, under the number of its first row.
fn belongs(path: &Path, shard: &Shard) -> Result<(), ShardError> {
    let name =
        |path: Option<&std::ffi::OsStr>| path.and_then(|name| name.to_str()).map(str::to_owned);
    let folder = name(path.parent().and_then(Path::file_name));
    let file = name(path.file_stem());
    let first_row = shard.field("first_row")?.parse::<usize>();
    if folder.as_deref() != Some(shard.entry()?.as_str()) {
        return Err(ShardError::OtherEntry);
    }
    match (first_row, file) {
        (Ok(row), Some(file)) if file == format!("{row:08}") => Ok(()),
        _ => Err(ShardError::OtherShard),
    }
}
