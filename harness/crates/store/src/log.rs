//! Logs: text for people, under a line that says whose it is and how it should read.

use std::path::Path;

use crate::digest::sha256_hex;
use crate::key::Key;
use crate::regular;

const HEAD: &str = "log of unit";

/// A log as it is stored.
pub(crate) fn render(key: &Key, text: &str) -> String {
    format!(
        "{HEAD} {key}, sha256 {}\n{text}",
        sha256_hex(text.as_bytes())
    )
}

/// Whether a log is what was written under its name, or what is wrong with it.
pub(crate) fn verify(path: &Path) -> Result<(), String> {
    let bytes = regular::read(path).map_err(|error| error.to_string())?;
    // It was listed a moment ago; removed since, it harms nobody.
    let Some(bytes) = bytes else { return Ok(()) };
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (head, text) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
    let name = path.file_stem().and_then(|name| name.to_str());
    let digest = sha256_hex(text);
    let expected = format!("{HEAD} {}, sha256 {digest}\n", name.unwrap_or_default());
    if head == expected.as_bytes() {
        Ok(())
    } else if head.starts_with(HEAD.as_bytes()) {
        Err("its digest does not match".to_owned())
    } else {
        Err("it has no digest line".to_owned())
    }
}
