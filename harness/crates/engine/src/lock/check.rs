//! Whether what was found is what a lock names.

use std::path::{Path, PathBuf};

use harness_store::sha256_file;

use super::error::{LockDifference, LockError};
use super::file::{LockFile, LockedPlugin, SuiteLock, lock_path};
use crate::plugin_ref::file_name;

/// What the lock beside a suite says of it.
#[derive(Clone, Debug)]
pub struct Lock {
    path: PathBuf,
    suite: PathBuf,
    entry: SuiteLock,
    /// Whether what it does not name is refused.
    pub(crate) is_binding: bool,
}

impl Lock {
    /// The entry of a suite, empty where there is none and it is not binding.
    ///
    /// # Errors
    /// The file cannot be read, or it is binding and has no entry.
    pub(crate) fn of_suite(suite: &Path, is_binding: bool) -> Result<Self, LockError> {
        let path = lock_path(suite);
        let file = LockFile::read(&path)?;
        let entry = match file.and_then(|mut file| file.suite(suite)) {
            Some(entry) => entry,
            None if !is_binding => SuiteLock::default(),
            None => {
                let suite = suite.to_owned();
                return Err(LockError::NoEntry { path, suite });
            }
        };
        Ok(Self {
            path,
            suite: suite.to_owned(),
            entry,
            is_binding,
        })
    }

    /// Whether a library or script with this digest is in it.
    pub(crate) fn has(&self, sha256: &str) -> bool {
        self.plugin(sha256).is_some()
    }

    fn plugin(&self, sha256: &str) -> Option<&LockedPlugin> {
        let mut plugins = self.entry.plugins.iter();
        plugins.find(|plugin| plugin.sha256 == sha256)
    }

    /// What differs for a file that the suite or the command line names, if anything: it, or one
    /// that it imports.
    pub(crate) fn difference(&self, path: &Path, sha256: &str) -> Option<LockDifference> {
        let Some(plugin) = self.plugin(sha256) else {
            return Some(match self.expected(path) {
                Some(expected) => LockDifference::Changed {
                    path: path.to_owned(),
                    expected: expected.to_owned(),
                    found: sha256.to_owned(),
                },
                None => LockDifference::NotLocked {
                    path: path.to_owned(),
                    sha256: sha256.to_owned(),
                },
            });
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        plugin.imports.iter().find_map(|(name, expected)| {
            let path = folder.join(name);
            let found = sha256_file(&path).unwrap_or_else(|error| error.to_string());
            (found != *expected).then(|| LockDifference::Changed {
                path,
                expected: expected.clone(),
                found,
            })
        })
    }

    /// The digest that the lock has for a file of this name.
    fn expected(&self, path: &Path) -> Option<&str> {
        let name = file_name(path);
        let mut plugins = self.entry.plugins.iter();
        let plugin = plugins.find(|plugin| file_name(Path::new(&plugin.file)) == name)?;
        Some(&plugin.sha256)
    }

    /// What is locked and was not found among files with their digests, or refused before.
    pub(crate) fn missing(&self, found: &[(PathBuf, String)]) -> Vec<LockDifference> {
        let absent = self.entry.plugins.iter().filter(|plugin| {
            let mut digests = found.iter().map(|(_, sha256)| sha256);
            digests.all(|sha256| *sha256 != plugin.sha256)
        });
        let difference = |plugin: &LockedPlugin| {
            let name = file_name(Path::new(&plugin.file));
            match found.iter().find(|(path, _)| file_name(path) == name) {
                Some((path, sha256)) => LockDifference::Changed {
                    path: path.clone(),
                    expected: plugin.sha256.clone(),
                    found: sha256.clone(),
                },
                None => LockDifference::Missing {
                    name: format!("{} {}", plugin.name, plugin.version),
                    sha256: plugin.sha256.clone(),
                },
            }
        };
        absent.map(difference).collect()
    }

    /// The error of differences, if there are any.
    pub(crate) fn refuse(&self, mut differences: Vec<LockDifference>) -> Result<(), LockError> {
        let mut seen = Vec::new();
        differences.retain(|one| {
            let is_new = !seen.contains(one);
            seen.push(one.clone());
            is_new
        });
        LockError::differs(&self.path, &self.suite, differences)
    }

    /// Which of some repositories it does not name.
    pub(crate) fn unnamed(&self, repositories: Vec<String>) -> Vec<String> {
        let named = &self.entry.downloads;
        let unnamed = repositories.into_iter().filter(|one| !named.contains(one));
        unnamed.collect()
    }
}
