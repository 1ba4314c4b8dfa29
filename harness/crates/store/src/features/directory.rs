//! The directory of entries: a folder for each key, in it a file for each shard.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::shard::{self, Shard};
use super::{FeatureError, FeatureKey, FeatureRequest, Features, ShardError, Stored};
use crate::atomic::write_atomically;
use crate::regular;

/// Ending of a shard's name; before it stands its first row.
pub(super) const ENDING: &str = "safetensors";

/// Features in a directory. Safe to use from several threads and processes.
///
/// A shard is written beside its place and moved there whole, and nothing of it is used before
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
    /// [`FeatureError::Io`] if the directory cannot be created.
    pub fn open(root: impl Into<PathBuf>) -> Result<FeatureStore, FeatureError> {
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

    /// The folder of the shards of `key`.
    fn folder(&self, key: &FeatureKey) -> PathBuf {
        self.root.join(key.digest())
    }

    /// The file that holds, or would hold, the shard of `key` that begins with a row.
    pub fn path(&self, key: &FeatureKey, first_row: usize) -> PathBuf {
        self.folder(key).join(format!("{first_row:08}.{ENDING}"))
    }

    /// What is stored of a matrix, and which shards are not.
    ///
    /// A shard that is torn, altered or foreign counts as absent and leaves a warning for
    /// [`FeatureStore::take_warnings`]; the next [`FeatureStore::put`] replaces it.
    ///
    /// # Errors
    /// [`FeatureError::Io`] if a file is there but cannot be read.
    pub fn read(&self, request: &FeatureRequest) -> Result<Stored, FeatureError> {
        let (rows, width) = (request.rows, request.width);
        let mut stored = Stored {
            features: Features {
                rows,
                width,
                data: vec![0.0; rows * width],
            },
            missing: Vec::new(),
        };
        for range in request.shards() {
            match self.shard(request, &range)? {
                Some(numbers) => stored.features.put(&range, &numbers),
                None => stored.missing.push(range),
            }
        }
        Ok(stored)
    }

    /// The shards of a matrix that begin in `rows` and have to be computed.
    ///
    /// # Errors
    /// As for [`FeatureStore::read`].
    pub fn missing(
        &self,
        request: &FeatureRequest,
        rows: &Range<usize>,
    ) -> Result<Vec<Range<usize>>, FeatureError> {
        let mut missing = Vec::new();
        for range in request.shards().filter(|range| rows.contains(&range.start)) {
            if self.shard(request, &range)?.is_none() {
                missing.push(range);
            }
        }
        Ok(missing)
    }

    fn shard(
        &self,
        request: &FeatureRequest,
        range: &Range<usize>,
    ) -> Result<Option<Vec<f32>>, FeatureError> {
        let path = self.path(&request.key, range.start);
        let bytes = match regular::read(&path) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => return Ok(None),
            Err(error) => Err(ShardError::Unreadable(error.to_string())),
        };
        let shard = bytes
            .and_then(|bytes| Shard::decode(&bytes))
            .and_then(|shard| shard.is_part_of(request, range).map(|()| shard));
        match shard {
            Ok(shard) => Ok(Some(shard.numbers)),
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

    /// Keeps the rows `range` of a matrix, one of its [`FeatureRequest::shards`]; they are on the disk
    /// when this returns. Gives the numbers as a reader will get them, which in half precision
    /// are rounded.
    ///
    /// # Errors
    /// Rows that are no shard of the matrix, or files that cannot be written.
    pub fn put(
        &self,
        request: &FeatureRequest,
        range: &Range<usize>,
        numbers: &[f32],
    ) -> Result<Vec<f32>, FeatureError> {
        let is_shard = request.shards().any(|shard| shard == *range);
        if !is_shard || range.len().checked_mul(request.width) != Some(numbers.len()) {
            return Err(FeatureError::Shape {
                range: range.clone(),
                rows: request.rows,
                width: request.width,
                found: numbers.len(),
            });
        }
        if let Some(number) = request.key.precision.overflow(numbers) {
            return Err(FeatureError::Overflow(number));
        }
        let bytes = shard::encode(request, range, numbers)?;
        let folder = self.folder(&request.key);
        fs_err::create_dir_all(&folder)?;
        let path = self.path(&request.key, range.start);
        regular::make_room(&path)?;
        write_atomically(&path, &bytes)?;
        let precision = request.key.precision;
        Ok(precision.decode(&precision.encode(numbers)))
    }

    /// What has been ignored since the last call, one line per shard.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings())
    }

    fn warnings(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Features {
    /// Replaces the rows `range`.
    pub fn put(&mut self, range: &Range<usize>, numbers: &[f32]) {
        self.data[range.start * self.width..range.end * self.width].copy_from_slice(numbers);
    }
}
