//! The files of the store, their states, and which of them can be removed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::de::IgnoredAny;

use crate::entry;
use crate::features::{FeatureStore, StoredFeatures};
use crate::file_digests::FileDigests;
use crate::file_state::FileState;
use crate::log;
use crate::regular;
use crate::root::{DescriptorRecord, Record, Store, StoreError};
use crate::temporary::is_abandoned;

/// What a file of the store is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A shard of image features.
    Features,
    /// Result of a unit of work.
    Unit,
    /// A trained module.
    Module,
    /// What a plugin says of itself.
    Descriptor,
    /// Output of a worker whose unit failed.
    Log,
    /// Digests of a data set's image files.
    Digests,
}

/// One file of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    pub kind: FileKind,
    pub path: PathBuf,
    pub bytes: u64,
    pub written: SystemTime,
    pub state: FileState,
}

impl FileKind {
    /// All kinds, in the order of listings.
    pub const ALL: [FileKind; 6] = [
        FileKind::Features,
        FileKind::Unit,
        FileKind::Module,
        FileKind::Descriptor,
        FileKind::Log,
        FileKind::Digests,
    ];

    /// The folder that holds files of this kind.
    pub fn folder(self) -> &'static str {
        match self {
            FileKind::Features => "features",
            FileKind::Unit => "units",
            FileKind::Module => "modules",
            FileKind::Descriptor => "descriptors",
            FileKind::Log => "logs",
            FileKind::Digests => "digests",
        }
    }
}

impl FileState {
    /// Why the file can be removed, if it can.
    pub fn removable_because(&self) -> Option<String> {
        match self {
            FileState::Good | FileState::InUse => None,
            FileState::Leftover => Some("left by a process that is gone".to_owned()),
            FileState::Damaged(reason) => Some(format!("damaged: {reason}")),
            FileState::Orphan => Some("no stored training wrote it".to_owned()),
        }
    }
}

impl Store {
    /// Every file of the store, read and verified, in the order of kinds and paths.
    ///
    /// # Errors
    /// A folder or file cannot be read.
    pub fn files(&self) -> Result<Vec<StoredFile>, StoreError> {
        let walk = || -> std::io::Result<Vec<StoredFile>> {
            let mut files = Vec::new();
            for kind in FileKind::ALL {
                let folder = self.root().join(kind.folder());
                list(kind, &folder, &mut files)?;
            }
            Ok(files)
        };
        let mut files = walk().map_err(|source| self.error(source))?;
        let damaged: HashMap<PathBuf, String> = self
            .features()?
            .into_iter()
            .flat_map(|entry| entry.damaged)
            .map(|(path, reason)| (path, reason.to_string()))
            .collect();
        for file in files
            .iter_mut()
            .filter(|file| file.state == FileState::Good)
        {
            file.state = self.state(file, &damaged);
        }
        files.sort_by(|a, b| (a.kind, &a.path).cmp(&(b.kind, &b.path)));
        Ok(files)
    }

    /// The trained modules of the store alone, read and verified, by path.
    ///
    /// # Errors
    /// The folder or a file cannot be read.
    pub fn modules(&self) -> Result<Vec<StoredFile>, StoreError> {
        let folder = self.root().join(FileKind::Module.folder());
        let mut files = Vec::new();
        list(FileKind::Module, &folder, &mut files).map_err(|source| self.error(source))?;
        for file in &mut files {
            if file.state == FileState::Good {
                file.state = self.state(file, &HashMap::new());
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// The image features of the store, matrix by matrix.
    ///
    /// # Errors
    /// A folder or file cannot be read.
    pub fn features(&self) -> Result<Vec<StoredFeatures>, StoreError> {
        let folder = self.root().join(FileKind::Features.folder());
        let entries = FeatureStore::open(folder).and_then(|store| store.entries());
        entries.map_err(|error| self.error(std::io::Error::other(error)))
    }

    /// Removes a file, and the folder of a matrix whose last shard it was.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn remove(&self, file: &StoredFile) -> Result<(), StoreError> {
        let is_folder = std::fs::symlink_metadata(&file.path).is_ok_and(|about| about.is_dir());
        let removed = if is_folder {
            fs_err::remove_dir_all(&file.path)
        } else {
            fs_err::remove_file(&file.path)
        };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(self.error(error));
            }
            _ => {}
        }
        if file.kind == FileKind::Features
            && let Some(folder) = file.path.parent()
        {
            // Refused by the system unless it is empty.
            let _ = std::fs::remove_dir(folder);
        }
        Ok(())
    }

    fn state(&self, file: &StoredFile, damaged: &HashMap<PathBuf, String>) -> FileState {
        let name = file.path.file_name().and_then(|name| name.to_str());
        let found = match file.kind {
            FileKind::Features => damaged.get(&file.path).cloned().map_or(Ok(()), Err),
            FileKind::Unit => match entry::read::<Record<IgnoredAny>>(&file.path) {
                Ok(Some(record)) if Some(record.key.as_str()) != name => {
                    Err("it belongs to another unit".to_owned())
                }
                read => read.map(drop).map_err(|warning| warning.reason),
            },
            FileKind::Module => return self.module_state(file, name.unwrap_or_default()),
            FileKind::Descriptor => match entry::read::<DescriptorRecord<IgnoredAny>>(&file.path) {
                Ok(Some(record)) if Some(record.sha256.as_str()) != name => {
                    Err("it belongs to another plugin".to_owned())
                }
                read => read.map(drop).map_err(|warning| warning.reason),
            },
            FileKind::Log => return log::verify(&file.path),
            FileKind::Digests => return FileDigests::verify(&file.path),
        };
        found.map_or_else(FileState::Damaged, |()| FileState::Good)
    }

    /// A module is good if the unit of the same key noted its digest.
    fn module_state(&self, file: &StoredFile, name: &str) -> FileState {
        let key = name.strip_suffix(".safetensors").unwrap_or(name);
        let record = entry::read::<Record<IgnoredAny>>(&self.root().join("units").join(key));
        let noted = record
            .ok()
            .flatten()
            .and_then(|record| record.module_sha256);
        match (noted, regular::sha256(&file.path)) {
            (None, _) => FileState::Orphan,
            (Some(noted), Ok(found)) if Some(&noted) == found.as_ref() => FileState::Good,
            (Some(_), Ok(_)) => FileState::Damaged("its digest does not match".to_owned()),
            (Some(_), Err(error)) => FileState::Damaged(error.to_string()),
        }
    }
}

/// Files of a folder and, for features, of the folders in it.
fn list(kind: FileKind, folder: &Path, files: &mut Vec<StoredFile>) -> std::io::Result<()> {
    let entries = match fs_err::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let about = match fs_err::symlink_metadata(&path) {
            // Another process may move or remove files at the same time.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            about => about?,
        };
        // Features lie in a folder for each matrix, and nothing lies deeper.
        if about.is_dir() && kind == FileKind::Features && folder.ends_with(kind.folder()) {
            list(kind, &path, files)?;
            continue;
        }
        let written = about.modified()?;
        files.push(StoredFile {
            kind,
            bytes: about.len(),
            written,
            state: match (regular::kind(&about), is_abandoned(&path, written)) {
                (Some(kind), _) => FileState::Damaged(format!("{kind} is in its place")),
                (None, Some(true)) => FileState::Leftover,
                (None, Some(false)) => FileState::InUse,
                (None, None) => FileState::Good,
            },
            path,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::temporary::tests::{draft_name_of, temporary_name};

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path().join("store"))).unwrap();
        (folder, store)
    }

    fn write(store: &Store, path: &str, text: &str) {
        let path = store.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The state of every file by its path below the root.
    fn states(store: &Store) -> Vec<(String, FileState)> {
        let files = store.files().unwrap().into_iter();
        let shown = files.map(|file| {
            let path = file.path.strip_prefix(store.root()).unwrap();
            (path.display().to_string(), file.state)
        });
        shown.collect()
    }

    #[test]
    fn what_a_killed_run_left_is_told_from_what_is_being_written() {
        let (_folder, store) = store();
        // Linux gives no process a number this large.
        let (alive, dead) = (std::process::id(), i32::MAX as u32);
        let (draft, dead_draft) = (draft_name_of(alive), draft_name_of(dead));
        let dead = temporary_name(dead);
        write(&store, &format!("modules/{draft}"), "");
        write(&store, &format!("modules/{dead_draft}"), "");
        write(&store, &format!("units/{dead}"), "");
        write(&store, &format!("features/d/{dead}"), "");
        write(&store, "units/.tmpAbCdEf", "");
        let found = states(&store);
        let state = |path: &str| {
            let named = found.iter().find(|(name, _)| name == path);
            named.map(|(_, state)| state.clone()).unwrap()
        };
        assert_eq!(state(&format!("modules/{draft}")), FileState::InUse);
        assert_eq!(state(&format!("modules/{dead_draft}")), FileState::Leftover);
        assert_eq!(state(&format!("units/{dead}")), FileState::Leftover);
        assert_eq!(state(&format!("features/d/{dead}")), FileState::Leftover);
        assert_eq!(
            state("units/.tmpAbCdEf"),
            FileState::InUse,
            "young, unknown"
        );
        for file in store.files().unwrap() {
            if file.state.removable_because().is_some() {
                store.remove(&file).unwrap();
            }
        }
        assert_eq!(states(&store).len(), 2);
        assert!(!store.root().join("features/d").exists());
    }

    #[test]
    fn damage_and_orphans_are_found() {
        let (_folder, store) = store();
        let key = Key::of(&"good".into());
        store.put_unit(&key, &1, None).unwrap();
        let lines = states(&store);
        assert_eq!(lines, [(format!("units/{key}"), FileState::Good)]);
        let path = store.root().join("units").join(key.as_str());
        std::fs::copy(&path, store.root().join("units/elsewhere")).unwrap();
        write(&store, "units/torn", "abc");
        write(&store, "modules/m.safetensors", "abc");
        write(&store, "features/d/00000000.safetensors", "abc");
        store.put_log(&key, "said").unwrap();
        write(&store, "logs/l.log", "anything");
        write(&store, "units/folder/file", "abc");
        write(&store, "digests/d", "abc");
        store.put_descriptor("00", &1).unwrap();
        let descriptors = store.root().join("descriptors");
        std::fs::copy(descriptors.join("00"), descriptors.join("01")).unwrap();
        assert_eq!(store.descriptor::<u8>("00"), Some(1));
        assert_eq!(store.descriptor::<u8>("01"), None, "of another plugin");
        let link = store.root().join("modules/link.safetensors");
        std::os::unix::fs::symlink("m.safetensors", link).unwrap();
        let found = states(&store);
        let bad = found.iter().filter(|(_, state)| *state != FileState::Good);
        let bad: Vec<String> = bad
            .map(|(path, state)| format!("{path}: {}", state.removable_because().unwrap()))
            .collect();
        assert_eq!(bad.len(), 9, "{bad:#?}");
        assert!(bad[0].starts_with("features/d/00000000.safetensors: damaged: not a whole shard"));
        assert_eq!(
            bad[1..],
            [
                "units/elsewhere: damaged: it belongs to another unit",
                "units/folder: damaged: a directory is in its place",
                "units/torn: damaged: it has no digest line",
                "modules/link.safetensors: damaged: a symbolic link is in its place",
                "modules/m.safetensors: no stored training wrote it",
                "descriptors/01: damaged: it belongs to another plugin",
                "logs/l.log: damaged: it has no digest line",
                "digests/d: damaged: it has no digest line",
            ]
        );
        for file in store.files().unwrap() {
            if file.state.removable_because().is_some() {
                store.remove(&file).unwrap();
            }
        }
        assert_eq!(
            states(&store).len(),
            3,
            "the unit, its log and a descriptor"
        );
    }
}
