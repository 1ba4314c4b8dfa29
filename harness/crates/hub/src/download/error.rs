//! Errors of downloading.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::hub::Missing;
use crate::repo::RepoError;

/// Why files could not be downloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    #[error(transparent)]
    Repo(#[from] RepoError),
    #[error("{repo} is incomplete on disk, and HF_HUB_OFFLINE forbids downloading")]
    Offline { repo: String, missing: Vec<Missing> },
    #[error("{url}: {refusal}")]
    Refused { url: String, refusal: Refusal },
    #[error("{url}: failed after {attempts} attempts: {reason}; run the command again to resume")]
    Unreachable {
        url: String,
        attempts: u32,
        reason: String,
    },
    #[error("{url}: {reason}")]
    Broken { url: String, reason: String },
    #[error(
        "{url}: expected {expected} bytes, but the server has {found}: another file, or a wrong Content-Length"
    )]
    WrongSize {
        url: String,
        expected: u64,
        found: u64,
    },
    #[error(
        "{from}: expected SHA-256 {expected}, found {found}; the file was discarded. If a new version was published, name its revision; otherwise the source is damaged or not trustworthy"
    )]
    WrongHash {
        /// URL, or path of a file on disk.
        from: String,
        expected: String,
        found: String,
    },
    #[error("{}: not enough space: {needed} bytes needed, {free} free", .path.display())]
    NoSpace {
        path: PathBuf,
        needed: u64,
        free: u64,
    },
    #[error("cannot write to the cache: {0}")]
    Io(#[from] io::Error),
}

/// Why a server refused to send the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// 401 or 403, and whether a token was sent.
    NotAllowed { status: u16, had_token: bool },
    /// 404 or 410, and what is missing according to the hub.
    NotFound { what: &'static str },
    /// Any other status that does not allow a retry.
    Status(u16),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed {
                status,
                had_token: false,
            } => write!(
                f,
                "access denied ({status}): the repository is private, requires accepting its terms, or does not exist; check its name, accept the terms on its page, and set HF_TOKEN"
            ),
            Self::NotAllowed { status, .. } => write!(
                f,
                "access denied ({status}) with the token from HF_TOKEN or the token file; it may have expired, or its owner has not accepted the terms of the repository"
            ),
            Self::NotFound { what } => write!(f, "{what} not found (404)"),
            Self::Status(status) => write!(f, "the server responded with status {status}"),
        }
    }
}

impl FetchError {
    /// Whether the hub is out of reach or the cache cannot be written.
    pub(crate) fn is_of_the_environment(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Io(_) | Self::NoSpace { .. }
        )
    }

    /// Whether the file may exist under another of its names.
    pub(crate) fn is_absent_file(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                refusal: Refusal::NotFound { what: "file" },
                ..
            }
        )
    }
}
