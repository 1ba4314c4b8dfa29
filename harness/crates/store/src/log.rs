//! Logs: text for people, under a line that says whose it is and how it should read.

use std::path::Path;

use crate::digest::sha256_hex;
use crate::file_state::FileState;
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
pub(crate) fn verify(path: &Path) -> FileState {
    let bytes = match regular::read(path) {
        Ok(Some(bytes)) => bytes,
        // It was listed a moment ago; removed since, it harms nobody.
        Ok(None) => return FileState::Good,
        Err(error) => return FileState::Damaged(error.to_string()),
    };
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (head, text) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
    let name = path.file_stem().and_then(|name| name.to_str());
    let digest = sha256_hex(text);
    let expected = format!("{HEAD} {}, sha256 {digest}\n", name.unwrap_or_default());
    if head == expected.as_bytes() {
        FileState::Good
    } else if head.starts_with(HEAD.as_bytes()) {
        FileState::Damaged("its digest does not match".to_owned())
    } else {
        FileState::Damaged("it has no digest line".to_owned())
    }
}
