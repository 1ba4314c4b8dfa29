//! One file of the store: a line with the SHA-256 of the rest, then JSON.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::atomic::write_atomically;
use crate::digest::sha256_hex;
use crate::regular;

/// An entry that was there and could not be used. It counts as absent, and the
/// work is done again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is damaged ({reason}); ignored; will be recomputed", .path.display())]
pub struct Warning {
    pub path: PathBuf,
    pub reason: String,
}

/// Reads a body. `Ok(None)` if there is no entry.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, Warning> {
    let damaged = |reason: String| Warning {
        path: path.to_owned(),
        reason,
    };
    let bytes = match regular::read(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(error) => return Err(damaged(error.to_string())),
    };
    let Some((digest, body)) = split(&bytes) else {
        return Err(damaged("it has no digest line".to_owned()));
    };
    if sha256_hex(body).as_bytes() != digest {
        return Err(damaged("its digest does not match".to_owned()));
    }
    serde_json::from_slice(body)
        .map(Some)
        .map_err(|error| damaged(error.to_string()))
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// Writes a body; readers see the old entry or the whole new one.
pub(crate) fn write<T: Serialize>(path: &Path, body: &T) -> std::io::Result<()> {
    let body = serde_json::to_vec(body)?;
    let mut bytes = sha256_hex(&body).into_bytes();
    bytes.push(b'\n');
    bytes.extend(body);
    replace(path, &bytes)
}

/// Puts `bytes` at `path`, whose folder need not exist.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    regular::make_room(path)?;
    write_atomically(path, bytes)
}
