//! Which plugins may be loaded: all, with a word at the first use of each, or those of a lock.

use std::path::{Path, PathBuf};

use harness_host::plugin::has_record;
use harness_store::Store;

use super::discovery::Inspection;
use super::libraries::{Origin, is_script};
use crate::lock::{Lock, LockDifference, LockError};
use crate::schedule::Observer;

/// Sees every file before any of its code runs.
pub(super) struct Gate<'a> {
    lock: Option<&'a Lock>,
    store: Option<&'a Store>,
    found: Vec<(PathBuf, String)>,
    refused: Vec<LockDifference>,
    /// Plugins that did not come with the harness and are used for the first time.
    first: Vec<(PathBuf, String)>,
}

/// Plugins that a warning names.
const NAMED: usize = 4;

impl<'a> Gate<'a> {
    pub(super) fn new(lock: Option<&'a Lock>, store: Option<&'a Store>) -> Self {
        Self {
            lock,
            store,
            found: Vec::new(),
            refused: Vec::new(),
            first: Vec::new(),
        }
    }

    /// Whether a library or a script may be loaded. What a binding lock does not name is left
    /// alone where it was only found, and refused where the suite or the command line names it.
    pub(super) fn admits(&mut self, path: &Path, sha256: &str, origin: Origin) -> bool {
        self.found.push((path.to_owned(), sha256.to_owned()));
        let Some(lock) = self.lock.filter(|lock| lock.is_binding) else {
            let has_code = is_script(path) || has_record(path);
            if origin != Origin::Executable && has_code && self.is_first_use(sha256) {
                self.first.push((path.to_owned(), sha256.to_owned()));
            }
            return true;
        };
        if origin != Origin::Suite {
            return lock.has(sha256);
        }
        let difference = lock.difference(path, sha256);
        let is_as_locked = difference.is_none();
        self.refused.extend(difference);
        is_as_locked
    }

    fn is_first_use(&self, sha256: &str) -> bool {
        let is_locked = self.lock.is_some_and(|lock| lock.has(sha256));
        let is_known = |store: &Store| store.descriptor::<Inspection>(sha256).is_some();
        !is_locked && self.store.is_some_and(|store| !is_known(store))
    }

    /// Names what is used for the first time.
    ///
    /// # Errors
    /// Something was refused, or a file of a binding lock was not found.
    pub(super) fn close(mut self, observer: &mut dyn Observer) -> Result<(), LockError> {
        if let Some(warning) = first_use(&self.first) {
            observer.warn(&warning);
        }
        let Some(lock) = self.lock.filter(|lock| lock.is_binding) else {
            return Ok(());
        };
        self.refused.extend(lock.missing(&self.found));
        lock.refuse(self.refused)
    }
}

fn first_use(plugins: &[(PathBuf, String)]) -> Option<String> {
    let named = |(path, sha256): &(PathBuf, String)| {
        let digits = sha256.get(..12).unwrap_or(sha256);
        format!("{} (SHA-256 {digits}…)", path.display())
    };
    let shown: Vec<String> = plugins.iter().take(NAMED).map(named).collect();
    let shown = shown.join(", ");
    match plugins.len() {
        0 => None,
        1 => Some(format!(
            "first use of the plugin {shown}, which is not in a harness.lock"
        )),
        count => {
            let more = match count.saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            Some(format!(
                "first use of {count} plugins that are not in a harness.lock: {shown}{more}"
            ))
        }
    }
}
