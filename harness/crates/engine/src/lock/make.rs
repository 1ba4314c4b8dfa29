//! Makes the lock of a suite from what is here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use harness_store::sha256_file;

use super::error::LockError;
use super::file::{LockFile, LockedPlugin, PluginSource, SuiteLock, lock_path};
use crate::fetch::Needs;
use crate::plugin_ref::file_name;
use crate::registry::RegisteredPlugin;
use crate::run::{Discovered, RunError, Settings};
use crate::schedule::Observer;

/// Writes what a suite uses into the lock beside it: the plugins of its methods, those that it
/// names, and the repositories of its backbones and data sets. Gives the lock's path.
///
/// # Errors
/// The suite has mistakes, or the lock cannot be written.
pub fn lock(
    settings: &Settings<'_>,
    observer: &mut dyn Observer,
) -> Result<(PathBuf, SuiteLock), RunError> {
    let Discovered {
        document, registry, ..
    } = Discovered::new(settings, observer)?;
    let suite = document
        .check(&registry)
        .map_err(crate::suite::SuiteError::from)?;
    let path = lock_path(&settings.suite);
    let folder = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
    let folder = folder.parent().unwrap_or(Path::new("")).to_owned();
    let folder = fs_err::canonicalize(&folder).unwrap_or(folder);
    let mut plugins = Vec::new();
    for plugin in &registry.plugins {
        let source = plugin.source();
        let mut methods = suite.methods.iter();
        let is_used = methods.any(|entry| {
            let found = registry.method_of(entry);
            found.is_some_and(|(used, _)| used.reference == plugin.reference)
        });
        if is_used || source == PluginSource::Suite {
            add(&mut plugins, plugin, &folder)?;
        }
    }
    let needs = Needs::of_suite(&settings.suite, settings.data.as_deref())?;
    let entry = SuiteLock {
        plugins,
        downloads: needs.repositories(),
    };
    LockFile::put(&path, &settings.suite, entry.clone())?;
    Ok((path, entry))
}

/// Adds a plugin, and the library that runs it if it is a script.
fn add(
    plugins: &mut Vec<LockedPlugin>,
    plugin: &RegisteredPlugin,
    folder: &Path,
) -> Result<(), LockError> {
    let info = &plugin.descriptor.plugin;
    let digest = |path: &Path| {
        sha256_file(path).map_err(|error| LockError::Malformed {
            path: path.to_owned(),
            reason: format!("cannot be read: {error}"),
        })
    };
    let file = plugin.reference.file();
    let source = plugin.source();
    let shown = match source {
        PluginSource::Harness => file_name(file),
        PluginSource::Suite | PluginSource::Environment => {
            let relative = file.strip_prefix(folder).unwrap_or(file);
            relative.to_string_lossy().into_owned()
        }
    };
    let mut imports = BTreeMap::new();
    if plugin.reference.script.is_some() {
        let library = &plugin.reference.library;
        let runner = LockedPlugin {
            name: "harness-plugin-python".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            abi: info.abi.clone(),
            source: PluginSource::Harness,
            file: file_name(library),
            sha256: digest(library)?,
            imports: BTreeMap::new(),
        };
        if !plugins.contains(&runner) {
            plugins.push(runner);
        }
        let facts = info.script.iter().flat_map(|facts| &facts.files);
        let own = file_name(file);
        imports.extend(
            facts
                .filter(|(name, _)| **name != own)
                .map(|(name, sha256)| (name.clone(), sha256.clone())),
        );
    }
    plugins.push(LockedPlugin {
        name: info.name.clone(),
        version: info.version.clone(),
        abi: match plugin.reference.script {
            Some(_) => String::new(),
            None => info.abi.clone(),
        },
        source,
        file: shown,
        sha256: digest(file)?,
        imports,
    });
    Ok(())
}
