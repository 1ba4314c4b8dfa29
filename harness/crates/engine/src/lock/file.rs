//! The file beside the suites that it is for.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use harness_store::replace_file;
use serde::{Deserialize, Serialize};

use super::error::LockError;

/// Name of the file.
pub const LOCK_FILE: &str = "harness.lock";
/// Of its format.
const VERSION: u32 = 1;
const HEAD: &str = "# Written by `harness plugin lock`. `harness run --locked` loads no other plugin and\n\
                    # downloads from no other repository.\n";

/// The whole file: an entry for each suite of the folder that was locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockFile {
    version: u32,
    /// By file name.
    suites: BTreeMap<String, SuiteLock>,
}

/// What a suite was accepted with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteLock {
    pub plugins: Vec<LockedPlugin>,
    /// Repositories of a hub with their revisions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub downloads: Vec<String>,
}

/// A plugin: a shared library or a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPlugin {
    pub name: String,
    pub version: String,
    /// Version of the plugin boundary that it was built with; none of a script.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub abi: String,
    pub source: PluginSource,
    /// Relative to the lock where that is possible; the file's name if it came with the harness.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// SHA-256 of the files that a script imports from beside it, by their paths relative to its
    /// folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub imports: BTreeMap<String, String>,
}

/// Where a plugin was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginSource {
    /// Named by the suite.
    Suite,
    /// In HARNESS_PLUGIN_PATH.
    Environment,
    /// Beside the executable or installed with it.
    Harness,
}

/// The lock that a suite's folder has or may get.
pub(crate) fn lock_path(suite: &Path) -> PathBuf {
    suite.with_file_name(LOCK_FILE)
}

/// Name of a suite in the lock.
pub(super) fn suite_name(suite: &Path) -> String {
    let name = suite.file_name().unwrap_or(suite.as_os_str());
    name.to_string_lossy().into_owned()
}

impl LockFile {
    /// Reads the file, if there is one.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, LockError> {
        let malformed = |reason: String| LockError::Malformed {
            path: path.to_owned(),
            reason,
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(malformed(error.to_string())),
        };
        let file: Self =
            serde_yaml::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if file.version != VERSION {
            let found = file.version;
            return Err(malformed(format!(
                "expected version {VERSION}, found {found}"
            )));
        }
        Ok(Some(file))
    }

    /// The entry of a suite.
    pub(super) fn suite(&mut self, suite: &Path) -> Option<SuiteLock> {
        self.suites.remove(&suite_name(suite))
    }

    /// Puts an entry of a suite in place of what the file at a path had for it, and keeps those of
    /// other suites.
    pub(super) fn put(path: &Path, suite: &Path, entry: SuiteLock) -> Result<(), LockError> {
        let mut file = Self::read(path)?.unwrap_or(Self {
            version: VERSION,
            suites: BTreeMap::new(),
        });
        file.suites.insert(suite_name(suite), entry);
        let unwritten = |error: String| LockError::Unwritten {
            path: path.to_owned(),
            reason: error,
        };
        let text = serde_yaml::to_string(&file).map_err(|error| unwritten(error.to_string()))?;
        let write = |out: &mut dyn Write| out.write_all(format!("{HEAD}{text}").as_bytes());
        let written: std::io::Result<u64> = replace_file(path, write);
        written.map_err(|error| unwritten(error.to_string()))?;
        Ok(())
    }
}
