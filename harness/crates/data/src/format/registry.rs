//! The formats, and which of them a directory has.

use std::path::Path;

use crate::DataError;
use crate::dataset::Parts;
use crate::format::folder::FolderFormat;
use crate::format::sheet::SheetFormat;
use crate::summary::Summary;

/// A way of storing a data set in a directory.
pub(crate) trait Format: Sync {
    /// Whether `dir` looks like this format; decides by the presence of files alone.
    fn matches(&self, dir: &Path) -> bool;
    /// Reads names, classes and sizes, without touching an image.
    fn summary(&self, dir: &Path) -> Result<Summary, DataError>;
    /// Reads and checks everything short of decoding pixels.
    fn open(&self, dir: &Path) -> Result<Parts, DataError>;
}

/// The first that matches is used, so that a manifest wins over folders beside it.
const FORMATS: [&dyn Format; 2] = [&SheetFormat, &FolderFormat];

/// The format of `dir`.
pub(crate) fn detect(dir: &Path) -> Result<&'static dyn Format, DataError> {
    // Says "no such file or directory" rather than "unknown format".
    fs_err::metadata(dir)?;
    FORMATS
        .into_iter()
        .find(|format| format.matches(dir))
        .ok_or_else(|| DataError::UnknownFormat {
            dir: dir.to_owned(),
        })
}
