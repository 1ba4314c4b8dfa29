//! Files that somebody needs of a repository.

use crate::repo::{RepoError, check_file};

/// One file, perhaps under one of several names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Paths in the repository; the first that exists serves.
    pub names: Vec<String>,
    /// Bytes, where known beforehand.
    pub size: Option<u64>,
    /// Bytes by rule of thumb, for plans; nothing is compared with it.
    pub about: Option<u64>,
    /// SHA-256 in hexadecimal, where known beforehand. Goes with the first name.
    pub sha256: Option<String>,
    /// Whether it is fine if the repository has none.
    pub optional: bool,
}

impl Wanted {
    /// A file that must be there.
    pub fn file(name: impl Into<String>) -> Self {
        Self::any_of([name.into()])
    }

    /// The first of several names that the repository has.
    pub fn any_of(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            names: names.into_iter().map(Into::into).collect(),
            size: None,
            about: None,
            sha256: None,
            optional: false,
        }
    }

    /// The same, if the repository has it.
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
