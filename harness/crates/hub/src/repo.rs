//! Names of repositories: kind, id, revision.

use std::fmt;
use std::path::{Component, Path};

/// Longest id that the hub allows.
const MAX_ID_LENGTH: usize = 96;

/// What a repository contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RepoKind {
    Model,
    Dataset,
}

/// A repository at a revision: a branch, a tag, a pull request or a commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Repo {
    kind: RepoKind,
    id: String,
    revision: String,
}

/// Why a name of a repository or file is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RepoError {
    #[error(
        "invalid repository {0:?}: expected org/name, made of letters, digits, `-`, `_` and `.`"
    )]
    Id(String),
    #[error(
        "invalid revision {0:?}: expected a branch such as main, a tag, refs/pr/N or the 40 digits of a commit"
    )]
    Revision(String),
    #[error("invalid file name {0:?}: expected a relative path without `..`")]
    File(String),
}

impl Repo {
    /// A repository of weights, `org/name`.
    ///
    /// # Errors
    /// Id or revision has characters that the hub does not allow.
    pub fn model(id: &str, revision: &str) -> Result<Self, RepoError> {
        Self::new(RepoKind::Model, id, revision)
    }

    /// A repository of data, `org/name`.
    ///
    /// # Errors
    /// As for [`Repo::model`].
    pub fn dataset(id: &str, revision: &str) -> Result<Self, RepoError> {
        Self::new(RepoKind::Dataset, id, revision)
    }

    /// `org/name` or `org/name@revision`; the default revision is `main`.
    ///
    /// # Errors
    /// As for [`Repo::model`].
    pub fn parse(kind: RepoKind, text: &str) -> Result<Self, RepoError> {
        let (id, revision) = text.split_once('@').unwrap_or((text, "main"));
        Self::new(kind, id, revision)
    }

    fn new(kind: RepoKind, id: &str, revision: &str) -> Result<Self, RepoError> {
        let parts: Vec<&str> = id.split('/').collect();
        if parts.len() != 2 || id.len() > MAX_ID_LENGTH || !parts.iter().all(|part| is_word(part)) {
            return Err(RepoError::Id(id.to_owned()));
        }
        if !revision.split('/').all(is_word) {
            return Err(RepoError::Revision(revision.to_owned()));
        }
        Ok(Self {
            kind,
            id: id.to_owned(),
            revision: revision.to_owned(),
        })
    }

    pub fn kind(&self) -> RepoKind {
        self.kind
    }

    /// `org/name`.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The same repository at a revision that a server named.
    pub(crate) fn at(&self, revision: &str) -> Result<Self, RepoError> {
        Self::new(self.kind, &self.id, revision)
    }

    /// Name of its folder in a cache: `models--org--name`.
    pub(crate) fn folder(&self) -> String {
        let kind = match self.kind {
            RepoKind::Model => "models",
            RepoKind::Dataset => "datasets",
        };
        format!("{kind}--{}", self.id.replace('/', "--"))
    }

    /// Where a hub at `endpoint` serves a file.
    pub(crate) fn url(&self, endpoint: &str, file: &str) -> String {
        let kind = match self.kind {
            RepoKind::Model => "",
            RepoKind::Dataset => "datasets/",
        };
        format!(
            "{endpoint}/{kind}{}/resolve/{}/{}",
            self.id,
            encode(&self.revision, false),
            encode(file, true)
        )
    }
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.revision)
    }
}

fn is_word(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.is_empty()
        && text.chars().all(is_allowed)
        && !text.starts_with(['.', '-'])
        && !text.contains("--")
        && !text.contains("..")
}

/// Whether a text is a full git commit hash.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.chars().all(|c| c.is_ascii_hexdigit())
}

/// Rejects a file name that leads outside its repository.
pub(crate) fn check_file(name: &str) -> Result<(), RepoError> {
    let mut parts = Path::new(name).components();
    let is_inside = parts.all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !is_inside || name.contains(['\\', '\0', '\n']) || name.ends_with('/') {
        return Err(RepoError::File(name.to_owned()));
    }
    Ok(())
}

/// Percent-encodes characters that the path of a URL must not contain.
pub(crate) fn encode(text: &str, keeps_slashes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric()
            || b"-_.~".contains(&byte)
            || (keeps_slashes && byte == b'/')
        {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_with_a_revision_is_parsed() {
        let repo = Repo::parse(RepoKind::Model, "openai/clip@refs/pr/32").unwrap();
        assert_eq!((repo.id(), repo.revision()), ("openai/clip", "refs/pr/32"));
        assert_eq!(repo.folder(), "models--openai--clip");
        assert_eq!(
            repo.url("https://hub", "a b/x.json"),
            "https://hub/openai/clip/resolve/refs%2Fpr%2F32/a%20b/x.json"
        );
        let repo = Repo::parse(RepoKind::Dataset, "clip-benchmark/wds_cars").unwrap();
        assert_eq!(repo.revision(), "main");
        assert_eq!(
            repo.url("https://hub", "test/0.tar"),
            "https://hub/datasets/clip-benchmark/wds_cars/resolve/main/test/0.tar"
        );
    }

    #[test]
    fn names_that_lead_elsewhere_are_rejected() {
        for id in [
            "", "clip", "a/b/c", "../b", "a/..", "a/b c", "a--b/c", "a/b?c", "/b",
        ] {
            assert!(Repo::model(id, "main").is_err(), "{id}");
        }
        for revision in ["", "../x", "a//b", "/a", "a b", "a/../b"] {
            assert!(Repo::model("a/b", revision).is_err(), "{revision}");
        }
        for file in ["", "/etc/passwd", "../x", "a/../../b", "a\\b", "a/", "./a"] {
            assert!(check_file(file).is_err(), "{file}");
        }
        assert_eq!(check_file("train/0.tar"), Ok(()));
    }
}
