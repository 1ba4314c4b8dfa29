//! Why files could not be had.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::hub::Missing;
use crate::repo::RepoError;

/// Why files could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Repo(#[from] RepoError),
    #[error("{repo} is not complete on disk and the network is not to be used (HF_HUB_OFFLINE)")]
    Offline { repo: String, missing: Vec<Missing> },
    #[error("{url}: {refusal}")]
    Refused { url: String, refusal: Refusal },
    #[error(
        "{url}: no answer after {attempts} attempts: {reason}; what arrived is kept, run it again to go on"
    )]
    Unreachable {
        url: String,
        attempts: u32,
        reason: String,
    },
    #[error("{url}: {reason}")]
    Broken { url: String, reason: String },
    #[error(
        "{url}: expected {expected} bytes, the server has {found}; it serves another file, or announces a wrong length"
    )]
    WrongSize {
        url: String,
        expected: u64,
        found: u64,
    },
    #[error(
        "{from}: expected SHA-256 {expected}, found {found}; the file was not kept. If it was published anew, name its revision; if not, the source is damaged or not to be trusted"
    )]
    WrongHash {
        /// URL, or path of a file that was already there.
        from: String,
        expected: String,
        found: String,
    },
    #[error("{}: {needed} bytes are needed, {free} are free", .place.display())]
    NoSpace {
        place: PathBuf,
        needed: u64,
        free: u64,
    },
    #[error("cannot write to the cache: {0}")]
    Io(#[from] io::Error),
}

/// What a server said instead of sending the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401 or 403; whether a token was sent along.
    NotAllowed { status: u16, had_token: bool },
    /// 404 or 410, with what the hub says is missing.
    NotFound { what: &'static str },
    /// Anything else that another attempt does not change.
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
                "not allowed ({status}): the repository is private, asks to accept its terms, or does not exist; check its name, accept the terms on its page, and set HF_TOKEN"
            ),
            Self::NotAllowed { status, .. } => write!(
                f,
                "not allowed ({status}) with the token that was found in HF_TOKEN or the token file; it may be outdated, or its owner has not accepted the repository's terms"
            ),
            Self::NotFound { what } => write!(f, "there is no such {what} (404)"),
            Self::Status(status) => write!(f, "the server answered with status {status}"),
        }
    }
}

impl FetchError {
    /// Whether another name of the same file may be there.
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
