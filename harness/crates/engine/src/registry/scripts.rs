//! Scripts as plugins: what is asked of them, and how entries of a suite refer to them.

use std::path::{Path, PathBuf};

use harness_abi::wire::Script;
use harness_store::sha256_file;

use super::interpreter;
use super::libraries::{Libraries, Library, Origin, UnusablePlugin, canonical_file};
use super::{NamedPlugins, SearchPath};
use crate::plugin_ref::{PluginRef, ScriptRef, file_name};

/// A script that has not been read.
pub(super) struct UnreadScript {
    pub(super) reference: PluginRef,
    /// Digest of the script.
    pub(super) sha256: String,
    /// Digest of the library that runs it.
    pub(super) library_sha256: String,
    pub(super) origin: Origin,
    /// Whether only entries of methods that name it use it.
    pub(super) is_private: bool,
}

/// Why an entry's script cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptLookupError {
    #[error("{0}")]
    Unusable(String),
    #[error("the Python files of the suite are not read with --no-plugins-from-suite")]
    NotRead,
    #[error("{script} has no method {id:?}, only {}", .known.join(", "))]
    NoMethod {
        script: String,
        id: String,
        known: Vec<String>,
    },
}

/// The scripts among what was found and those that entries of methods name, and those that cannot
/// be used.
pub(super) fn unread(
    search_path: &SearchPath,
    named: &NamedPlugins<'_>,
    found: &mut Libraries,
) -> Vec<UnreadScript> {
    let public = std::mem::take(&mut found.scripts);
    let mut private: Vec<PathBuf> = Vec::new();
    for path in &named.scripts {
        let path = search_path.resolve(path);
        match canonical_file(&path) {
            Ok(path) => {
                let is_public = public.iter().any(|script| script.path == path);
                if !is_public && !private.contains(&path) {
                    private.push(path);
                }
            }
            Err(error) => found.unusable.push(UnusablePlugin {
                reason: error.to_string(),
                path,
            }),
        }
    }
    let private = private.into_iter().map(|path| {
        let origin = Origin::Suite;
        (Library { path, origin }, true)
    });
    let scripts = public.into_iter().map(|script| (script, false));
    let scripts: Vec<(Library, bool)> = scripts.chain(private).collect();
    if scripts.is_empty() {
        return Vec::new();
    }
    let python = interpreter::python(search_path, named.python, named.python_of_suite);
    let library = match &found.python {
        Some(path) => sha256_file(path)
            .map(|sha256| (path.clone(), sha256))
            .map_err(|error| format!("{}: {error}", path.display())),
        None => Err(
            "the plugin harness-plugin-python, which runs it, is not beside the executable; \
             `cargo build` makes it"
                .to_owned(),
        ),
    };
    let mut all = Vec::new();
    for (Library { path, origin }, is_private) in scripts {
        let own = sha256_file(&path).map_err(|error| format!("cannot be read: {error}"));
        let script = match (&library, path.to_str(), own) {
            (Ok((library, library_sha256)), Some(text), Ok(sha256)) => UnreadScript {
                reference: PluginRef {
                    library: library.clone(),
                    script: Some(ScriptRef {
                        script: Script {
                            path: text.to_owned(),
                            interpreter: python.clone(),
                        },
                        facts_sha256: None,
                    }),
                },
                sha256,
                library_sha256: library_sha256.clone(),
                origin,
                is_private,
            },
            (library, _, own) => {
                let reason = library.as_ref().err().cloned().or(own.err());
                let reason = reason.unwrap_or_else(|| "expected a path in UTF-8".to_owned());
                found.unusable.push(UnusablePlugin { path, reason });
                continue;
            }
        };
        all.push(script);
    }
    all
}

/// Why the script at a path was not read.
pub(super) fn why_unread(path: &Path, broken: &[UnusablePlugin]) -> ScriptLookupError {
    match broken.iter().find(|one| one.path == path) {
        Some(one) => ScriptLookupError::Unusable(format!("{}: {}", file_name(path), one.reason)),
        None => ScriptLookupError::NotRead,
    }
}
