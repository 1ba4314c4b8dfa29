//! Whole files, or none.

use std::path::Path;

use crate::error::TrackerError;
use harness_store::write_atomically;

/// Writes a file and the folders that it lies in.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), TrackerError> {
    let written = match path.parent() {
        Some(folder) => fs_err::create_dir_all(folder),
        None => Ok(()),
    };
    written
        .and_then(|()| write_atomically(path, bytes))
        .map_err(|source| TrackerError::Write {
            path: path.into(),
            source,
        })
}
