//! Why a module has no place in a suite.

use std::path::PathBuf;

/// Why a module cannot be measured in a suite.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlacementError {
    #[error(
        "{}: trained on {source_name}{}, but the suite upgrades from {known}; add that backbone as a source, or set `allow_other_source` (`--allow-other-source`)",
        .path.display(), shown(.sha256.as_deref())
    )]
    OtherSource {
        path: PathBuf,
        source_name: String,
        sha256: Option<String>,
        known: String,
    },
    #[error(
        "{}: trained on the data set {dataset:?}, which is not known here; name the one to test it on with `dataset` (`--dataset`)",
        .path.display()
    )]
    UnknownDataset { path: PathBuf, dataset: String },
    #[error(
        "{}: trained on {trained} classes of {dataset:?}, but that data set has {found} here, and not the same ids; name the one to test it on with `dataset` (`--dataset`)",
        .path.display()
    )]
    OtherClasses {
        path: PathBuf,
        dataset: String,
        trained: usize,
        found: usize,
    },
    #[error("{}: {reason}", .path.display())]
    Unusable { path: PathBuf, reason: String },
}

fn shown(sha256: Option<&str>) -> String {
    sha256.map_or_else(String::new, |sha256| {
        let start: String = sha256.chars().take(12).collect();
        format!(" (sha256 {start}…)")
    })
}
