//! Text files, with or without a byte order mark and with either line ending.

use std::borrow::Cow;
use std::path::Path;

use crate::decode::read_bounded;
use crate::error::DataError;

const MAX_BYTES: u64 = 1 << 30;

/// The bytes after a UTF-8 byte order mark.
pub(crate) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The bytes as UTF-8 without a byte order mark; UTF-16 is recognised by its mark.
pub(crate) fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let read: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Cow::Borrowed(without_bom(bytes)),
    };
    let pairs = bytes[2..].chunks(2);
    let units = pairs.map(|pair| read([pair[0], pair.get(1).copied().unwrap_or(0)]));
    let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Cow::Owned(text.collect::<String>().into_bytes())
}

/// The lines of a UTF-8 file that are not empty, without trailing spaces.
pub(crate) fn lines(path: &Path) -> Result<Vec<String>, DataError> {
    let mut lines = all_lines(path)?;
    lines.retain(|line| !line.is_empty());
    Ok(lines)
}

/// Every line of a UTF-8 file, also the empty ones, without trailing spaces: where a line's number
/// counts.
pub(crate) fn all_lines(path: &Path) -> Result<Vec<String>, DataError> {
    let bytes = read_bounded(path, MAX_BYTES)?;
    let text = std::str::from_utf8(without_bom(&bytes)).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        DataError::malformed(path, format!("line {line} is not UTF-8 text"))
    })?;
    let lines = text.lines().map(str::trim_end);
    Ok(lines.map(str::to_owned).collect())
}
