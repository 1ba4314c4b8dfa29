//! Text files, with or without a byte order mark and with either line ending.

use std::path::Path;

use crate::decode::read_bounded;
use crate::error::DataError;

const MAX_BYTES: u64 = 1 << 30;

/// The bytes after a UTF-8 byte order mark.
pub(crate) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The lines of a UTF-8 file that are not empty, without trailing spaces.
pub(crate) fn lines(path: &Path) -> Result<Vec<String>, DataError> {
    let bytes = read_bounded(path, MAX_BYTES)?;
    let text = std::str::from_utf8(without_bom(&bytes)).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        DataError::malformed(path, format!("line {line} is not UTF-8 text"))
    })?;
    let lines = text.lines().map(str::trim_end);
    Ok(lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}
