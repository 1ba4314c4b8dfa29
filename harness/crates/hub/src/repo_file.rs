//! A file of a repository that is needed.

use crate::repo::{RepoError, check_file};

/// A file, which may have one of several names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoFile {
    /// Paths in the repository; the first that exists is used.
    pub names: Vec<String>,
    /// Size in bytes, if known beforehand.
    pub size: Option<u64>,
    /// Approximate size in bytes, for plans; not checked.
    pub about: Option<u64>,
    /// SHA-256 in hexadecimal of the file with the first name, if known beforehand.
    pub sha256: Option<String>,
    /// Whether the repository may lack it.
    pub optional: bool,
}

impl RepoFile {
    /// A required file.
    pub fn file(name: impl Into<String>) -> Self {
        Self::any_of([name.into()])
    }

    /// A required file with one of several names, in order of preference.
    pub fn any_of(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            names: names.into_iter().map(Into::into).collect(),
            size: None,
            about: None,
            sha256: None,
            optional: false,
        }
    }

    /// Makes the file optional.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// `a or b`, for messages.
    pub fn label(&self) -> String {
        self.names.join(" or ")
    }

    pub(crate) fn check(&self) -> Result<(), RepoError> {
        self.names.iter().try_for_each(|name| check_file(name))
    }
}
