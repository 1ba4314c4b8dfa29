//! What a name leads to.

use std::path::PathBuf;

use harness_hub::RepoError;

use super::absent::Absent;

/// Where an input is. `F` is what is known of one that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location<F = PathBuf> {
    /// On disk.
    Found(F),
    /// Known, but not all of its files are on disk.
    Absent(Box<Absent>),
    /// Nothing has this name.
    Unknown,
}

/// A data set on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetPath {
    pub path: PathBuf,
    /// The known data set whose layout it has, where the name says so.
    pub known: Option<String>,
}

/// Why a name cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// The name of a repository, or of a file in it, is malformed.
    #[error(transparent)]
    Repo(#[from] RepoError),
    #[error(transparent)]
    Read(#[from] std::io::Error),
    #[error(
        "{}: expected a number of shards from 1 to {most}, found {found:?}; delete the file and fetch it again",
        .path.display()
    )]
    ShardCount {
        path: PathBuf,
        most: usize,
        /// The beginning of the file.
        found: String,
    },
    #[error("{}: {reason}; delete the file and fetch it again", .path.display())]
    Index { path: PathBuf, reason: String },
}

impl<F> Location<F> {
    /// Whether the name leads to something, on disk or not.
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown)
    }
}
