//! What differs from a lock.

use std::fmt;
use std::path::{Path, PathBuf};

use harness_report::shell::quote_path;

/// Why a locked suite is not run, or a lock not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    #[error("{}: {reason}; `harness plugin lock` writes it anew once it is removed", .path.display())]
    Malformed { path: PathBuf, reason: String },
    #[error("{}: cannot be written: {reason}", .path.display())]
    Unwritten { path: PathBuf, reason: String },
    #[error(
        "{} has no entry for {}; `harness plugin lock {}` adds it",
        .path.display(), .suite.display(), quote_path(.suite)
    )]
    NoEntry { path: PathBuf, suite: PathBuf },
    #[error(
        "what is here is not as in {}: {}; `harness plugin lock {}` accepts it",
        .path.display(), listed(.differences), quote_path(.suite)
    )]
    Differs {
        path: PathBuf,
        suite: PathBuf,
        differences: Vec<LockDifference>,
    },
}

/// A plugin or repository that is not as it was locked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockDifference {
    /// It is named, and the lock has nothing like it.
    NotLocked { path: PathBuf, sha256: String },
    /// A file of that name is here, with other content.
    Changed {
        path: PathBuf,
        expected: String,
        found: String,
    },
    /// No file has its digest.
    Missing { name: String, sha256: String },
    /// A repository from which something would be downloaded.
    Download { repository: String },
}

impl fmt::Display for LockDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLocked { path, sha256 } => {
                write!(f, "{} (SHA-256 {sha256}) is not in it", path.display())
            }
            Self::Changed {
                path,
                expected,
                found,
            } => write!(
                f,
                "{} has the SHA-256 {found}, expected {expected}",
                path.display()
            ),
            Self::Missing { name, sha256 } => {
                write!(f, "{name} (SHA-256 {sha256}) was not found")
            }
            Self::Download { repository } => {
                write!(f, "the repository {repository} is not in it")
            }
        }
    }
}

fn listed(differences: &[LockDifference]) -> String {
    let lines: Vec<String> = differences.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

impl LockError {
    /// Differences, if there are any.
    pub(super) fn differs(
        path: &Path,
        suite: &Path,
        differences: Vec<LockDifference>,
    ) -> Result<(), Self> {
        if differences.is_empty() {
            return Ok(());
        }
        Err(Self::Differs {
            path: path.to_owned(),
            suite: suite.to_owned(),
            differences,
        })
    }
}
