//! The store's folder.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::entry::{self, Warning};
use crate::key::Key;
use crate::log;
use crate::regular;
use crate::temporary::draft_name;

/// Environment variable that names the folder.
const VARIABLE: &str = "HARNESS_STORE";
/// Folder in the current directory when nothing else is said.
const DEFAULT: &str = ".harness";

/// Why the store could not be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the store {}: {source}", .root.display())]
pub struct StoreError {
    root: PathBuf,
    source: std::io::Error,
}

/// Results and modules by content key. Several processes may share one.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// What is kept of a unit: the key inside guards against renamed files.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record<R> {
    pub(crate) key: Key,
    /// Digest of the module file that the unit wrote.
    #[serde(default)]
    pub(crate) module_sha256: Option<String>,
    outcome: R,
}

/// What a plugin says of itself: its digest inside guards against renamed files.
#[derive(Serialize, Deserialize)]
pub(crate) struct DescriptorRecord<D> {
    pub(crate) sha256: String,
    descriptor: D,
}

impl Store {
    /// Opens `root`, or `$HARNESS_STORE`, or `.harness` in the current directory.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(root: Option<PathBuf>) -> Result<Self, StoreError> {
        let root = root
            .or_else(|| {
                std::env::var_os(VARIABLE)
                    .filter(|v| !v.is_empty())
                    .map(PathBuf::from)
            })
            .unwrap_or_else(|| PathBuf::from(DEFAULT));
        let fail = |source| StoreError {
            root: root.clone(),
            source,
        };
        for folder in ["units", "modules", "descriptors", "logs"] {
            fs_err::create_dir_all(root.join(folder)).map_err(fail)?;
        }
        // Workers may be started elsewhere.
        let root = fs_err::canonicalize(&root).map_err(fail)?;
        Ok(Self { root })
    }

    /// The store that [`Store::open`] would open by default, if it is there and can be used.
    pub fn existing() -> Option<Self> {
        let named = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let root = named.map_or_else(|| PathBuf::from(DEFAULT), PathBuf::from);
        root.is_dir().then(|| Self::open(Some(root)).ok()).flatten()
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The stored outcome of a unit, `None` if it has to be done.
    ///
    /// # Errors
    /// The entry is damaged; treat it as absent.
    pub fn unit<R: DeserializeOwned>(&self, key: &Key) -> Result<Option<R>, Warning> {
        let path = self.unit_path(key);
        let Some(record) = entry::read::<Record<R>>(&path)? else {
            return Ok(None);
        };
        if record.key != *key {
            return Err(Warning {
                path,
                reason: "it belongs to another unit".to_owned(),
            });
        }
        Ok(Some(record.outcome))
    }

    /// Keeps the outcome of a unit, with the digest of the module file that it wrote.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put_unit<R: Serialize>(
        &self,
        key: &Key,
        outcome: &R,
        module_sha256: Option<&str>,
    ) -> Result<(), StoreError> {
        let record = Record {
            key: key.clone(),
            module_sha256: module_sha256.map(str::to_owned),
            outcome,
        };
        entry::write(&self.unit_path(key), &record).map_err(|source| self.error(source))
    }

    /// Where the module of a training is, once it is there.
    pub fn module(&self, key: &Key) -> PathBuf {
        self.root.join("modules").join(format!("{key}.safetensors"))
    }

    /// Where a worker writes a module before it is known to be whole.
    pub fn module_draft(&self, key: &Key) -> PathBuf {
        self.root.join("modules").join(draft_name(key.as_str()))
    }

    /// Moves a finished draft into place.
    ///
    /// # Errors
    /// The file is not there or cannot be moved.
    pub fn keep_module(&self, key: &Key) -> Result<(), StoreError> {
        let draft = self.module_draft(key);
        fs_err::File::open(&draft)
            .and_then(|file| file.sync_all())
            .and_then(|()| regular::make_room(&self.module(key)))
            .and_then(|()| fs_err::rename(draft, self.module(key)))
            .map_err(|source| self.error(source))
    }

    /// Whether the module of a training is there with the digest that was noted.
    ///
    /// # Errors
    /// The file is there and is not what the training wrote.
    pub fn has_module(&self, key: &Key, expected: &str) -> Result<bool, Warning> {
        let path = self.module(key);
        match regular::sha256(&path) {
            Ok(None) => Ok(false),
            Ok(Some(found)) if found == expected => Ok(true),
            Ok(Some(_)) => Err(Warning {
                path,
                reason: "its digest does not match".to_owned(),
            }),
            Err(error) => Err(Warning {
                path,
                reason: error.to_string(),
            }),
        }
    }

    /// What the plugin with this digest says of itself, if it was asked before.
    pub fn descriptor<D: DeserializeOwned>(&self, sha256: &str) -> Option<D> {
        let read = entry::read::<DescriptorRecord<D>>(&self.descriptor_path(sha256));
        let record = read.ok().flatten()?;
        // The record of another plugin counts as none.
        (record.sha256 == sha256).then_some(record.descriptor)
    }

    /// Keeps what a plugin says of itself.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put_descriptor<D: Serialize>(
        &self,
        sha256: &str,
        descriptor: &D,
    ) -> Result<(), StoreError> {
        let record = DescriptorRecord {
            sha256: sha256.to_owned(),
            descriptor,
        };
        entry::write(&self.descriptor_path(sha256), &record).map_err(|source| self.error(source))
    }

    /// Where the log of a unit that failed is kept.
    pub fn log(&self, key: &Key) -> PathBuf {
        self.root.join("logs").join(format!("{key}.log"))
    }

    /// Keeps a log.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put_log(&self, key: &Key, text: &str) -> Result<(), StoreError> {
        let text = log::render(key, text);
        entry::replace(&self.log(key), text.as_bytes()).map_err(|source| self.error(source))
    }

    fn unit_path(&self, key: &Key) -> PathBuf {
        self.root.join("units").join(key.as_str())
    }

    fn descriptor_path(&self, sha256: &str) -> PathBuf {
        self.root.join("descriptors").join(sha256)
    }

    pub(crate) fn error(&self, source: std::io::Error) -> StoreError {
        StoreError {
            root: self.root.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::of(&text.into())
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path().join("a/store"))).unwrap();
        (folder, store)
    }

    #[test]
    fn what_was_put_comes_back() {
        let (_folder, store) = store();
        assert_eq!(store.unit::<u64>(&key("x")), Ok(None));
        store.put_unit(&key("x"), &7, None).unwrap();
        store.put_unit(&key("y"), &8, None).unwrap();
        assert_eq!(store.unit::<u64>(&key("x")), Ok(Some(7)));
        assert_eq!(store.unit::<u64>(&key("y")), Ok(Some(8)));
    }

    #[test]
    fn a_flipped_bit_anywhere_makes_an_entry_absent() {
        let (_folder, store) = store();
        store.put_unit(&key("x"), &7, None).unwrap();
        let path = store.unit_path(&key("x"));
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, bytes).unwrap();
            let warning = store.unit::<u64>(&key("x")).unwrap_err();
            assert!(warning.to_string().contains("is damaged"), "{warning}");
        }
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(store.unit::<u64>(&key("x")).is_err(), "cut to {length}");
        }
        store.put_unit(&key("x"), &7, None).unwrap();
        assert_eq!(store.unit::<u64>(&key("x")), Ok(Some(7)));
    }

    #[test]
    fn an_entry_under_another_name_is_not_believed() {
        let (_folder, store) = store();
        store.put_unit(&key("x"), &7, None).unwrap();
        std::fs::rename(store.unit_path(&key("x")), store.unit_path(&key("y"))).unwrap();
        let warning = store.unit::<u64>(&key("y")).unwrap_err();
        assert!(warning.reason.contains("another unit"), "{warning}");
    }

    #[test]
    fn a_module_counts_only_with_the_digest_that_was_noted() {
        let (_folder, store) = store();
        let good = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(store.has_module(&key("m"), good), Ok(false));
        assert!(store.keep_module(&key("m")).is_err());
        std::fs::write(store.module_draft(&key("m")), "abc").unwrap();
        store.keep_module(&key("m")).unwrap();
        assert_eq!(store.has_module(&key("m"), good), Ok(true));
        std::fs::write(store.module(&key("m")), "abd").unwrap();
        assert!(store.has_module(&key("m"), good).is_err());
    }

    #[test]
    fn two_writers_never_leave_a_torn_entry() {
        let (_folder, store) = store();
        let writers: Vec<_> = (0..4)
            .map(|images| {
                let store = store.clone();
                std::thread::spawn(move || {
                    for _ in 0..50 {
                        store.put_unit(&key("x"), &images, None).unwrap();
                    }
                })
            })
            .collect();
        while writers.iter().any(|writer| !writer.is_finished()) {
            // Either nothing yet or one writer's whole entry, never a warning.
            store.unit::<u64>(&key("x")).unwrap();
        }
        for writer in writers {
            writer.join().unwrap();
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = Store::open(Some(file.join("store")))
            .unwrap_err()
            .to_string();
        assert!(error.contains("file/store"), "{error}");
    }
}
