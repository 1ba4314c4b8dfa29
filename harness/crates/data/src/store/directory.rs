//! The directory of entries.

use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

use super::{FeatureKey, Features, StoreError, entry};

/// Features in a directory, one file per key. Safe to use from several threads and processes.
///
/// An entry is written beside its place and moved there whole, and nothing of it is used before
/// its digest has been verified; so readers need no lock, and the last of two writers wins with
/// the same content.
#[derive(Debug)]
pub struct FeatureStore {
    root: PathBuf,
    warnings: Mutex<Vec<String>>,
}

impl FeatureStore {
    /// Opens the store in `root`, creating the directory if need be.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the directory cannot be created.
    pub fn open(root: impl Into<PathBuf>) -> Result<FeatureStore, StoreError> {
        let root = root.into();
        fs_err::create_dir_all(&root)?;
        Ok(FeatureStore {
            root,
            warnings: Mutex::new(Vec::new()),
        })
    }

    /// The directory of the store.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file that holds, or would hold, the features of `key`.
    pub fn path(&self, key: &FeatureKey) -> PathBuf {
        self.root.join(format!("{}.safetensors", key.digest()))
    }

    /// The features of `key`, if they are stored.
    ///
    /// A file that is torn, altered or foreign counts as absent and leaves a warning for
    /// [`FeatureStore::take_warnings`]; the next [`FeatureStore::put`] replaces it.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the file is there but cannot be read.
    pub fn get(&self, key: &FeatureKey) -> Result<Option<Features>, StoreError> {
        let path = self.path(key);
        let bytes = match fs_err::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match entry::decode(key, &bytes) {
            Ok(features) => Ok(Some(features)),
            Err(reason) => {
                let warning = format!(
                    "{}: ignored, features will be computed again: {reason}",
                    path.display()
                );
                self.warnings().push(warning);
                Ok(None)
            }
        }
    }

    /// Keeps `features` under `key`; they are on the disk when this returns.
    ///
    /// # Errors
    /// Features that do not have their stated shape, or files that cannot be written.
    pub fn put(&self, key: &FeatureKey, features: &Features) -> Result<(), StoreError> {
        let bytes = entry::encode(key, features)?;
        let mut file = NamedTempFile::new_in(&self.root)?;
        file.write_all(&bytes)?;
        file.as_file().sync_all()?;
        let path = self.path(key);
        file.persist(&path).map_err(|failed| {
            let reason = format!("cannot write {}: {}", path.display(), failed.error);
            Error::new(failed.error.kind(), reason)
        })?;
        // The rename itself is durable only once the directory is.
        fs_err::File::open(&self.root)?.sync_all()?;
        Ok(())
    }

    /// What has been ignored since the last call, one line per entry.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings())
    }

    fn warnings(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
