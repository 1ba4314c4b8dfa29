//! The modules that a store holds.

use std::path::PathBuf;

use harness_store::{FileState, Store, StoreError, StoredFile};

use super::naming::{NamedModule, name_all};
use crate::registry::ModuleFile;

/// The modules of a store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredModules {
    /// By name.
    pub modules: Vec<NamedModule>,
    pub unusable: Vec<UnusableModule>,
}

/// A file among the modules that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableModule {
    pub path: PathBuf,
    pub reason: String,
}

impl StoredModules {
    /// The module with this name, with or without its extension, or whose hash begins so.
    pub fn find(&self, wanted: &str) -> Option<&NamedModule> {
        let is_named = |one: &&NamedModule| {
            one.name == wanted || one.name.strip_suffix(".safetensors") == Some(wanted)
        };
        let by_name = self.modules.iter().find(is_named);
        by_name.or_else(|| {
            let is_hash = wanted.len() >= 8;
            let mut found = self.modules.iter();
            let found = found.find(|one| one.file.sha256.starts_with(wanted));
            found.filter(|_| is_hash)
        })
    }
}

/// Reads every module of a store; files that another process is writing are left out.
///
/// # Errors
/// The store's folder cannot be read.
pub fn stored(store: &Store) -> Result<StoredModules, StoreError> {
    let mut files = Vec::new();
    let mut unusable = Vec::new();
    for StoredFile { path, state, .. } in store.modules()? {
        let reason = match state {
            FileState::InUse | FileState::Leftover => continue,
            FileState::Good | FileState::Orphan => match ModuleFile::read(&path) {
                Ok(file) => {
                    files.push(file);
                    continue;
                }
                Err(error) => error.to_string(),
            },
            FileState::Damaged(reason) => reason,
        };
        unusable.push(UnusableModule { path, reason });
    }
    let mut modules = name_all(files);
    modules.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(StoredModules { modules, unusable })
}
