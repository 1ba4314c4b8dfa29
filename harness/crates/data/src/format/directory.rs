//! Listing a folder in an order that does not depend on the file system.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::problems::Problems;

const EXTENSIONS: [&str; 12] = [
    "png", "jpg", "jpeg", "jfif", "webp", "bmp", "gif", "tif", "tiff", "ppm", "pgm", "pnm",
];
/// The formats, for messages.
pub(super) const FORMATS: &str = "png, jpg, webp, bmp, gif, tif or ppm";
/// What file managers leave behind. Ignored, as are dot files.
const IGNORED: [&str; 2] = ["Thumbs.db", "desktop.ini"];

/// A file or folder in a directory.
pub(super) struct DirectoryEntry {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// The entries of `dir` in byte order of their names.
pub(super) fn sorted(
    dir: &Path,
    problems: &mut Problems,
) -> Result<Vec<DirectoryEntry>, DataError> {
    let mut entries = Vec::new();
    for entry in fs_err::read_dir(dir)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            problems.add("name that is not UTF-8", path.display().to_string());
            continue;
        };
        if !name.starts_with('.') && !IGNORED.contains(&name) {
            let name = name.to_owned();
            entries.push(DirectoryEntry { name, path });
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Whether a file name has the extension of an image format that can be read.
pub(super) fn is_image(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|ext| ext.to_str());
    extension.is_some_and(|ext| {
        EXTENSIONS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(ext))
    })
}
