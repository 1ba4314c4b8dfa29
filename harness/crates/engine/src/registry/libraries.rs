//! Which shared libraries are plugins, by their place and name.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};

use super::Places;

/// Environment variable with more folders and libraries, separated as in `PATH`.
const VARIABLE: &str = "HARNESS_PLUGIN_PATH";

/// A suite or the environment names a plugin that is not there.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    #[error("no plugin at {} ({origin}): expected a shared library or a folder of them", .path.display())]
    Missing { path: PathBuf, origin: &'static str },
    #[error("cannot read the plugin {}: {source}", .path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// Every library: beside the executable, in the environment's path, and those that
/// the suite names. Canonical paths, each once.
///
/// # Errors
/// Something that was named outright is not there.
pub(crate) fn find(places: &Places, named: &[&str]) -> Result<Vec<PathBuf>, LibraryError> {
    let mut found = Vec::new();
    if let Some(folder) = std::env::current_exe()
        .ok()
        .as_deref()
        .and_then(Path::parent)
    {
        found.extend(in_folder(folder));
    }
    let environment = std::env::var_os(VARIABLE).unwrap_or_default();
    let of_environment = std::env::split_paths(&environment)
        .filter(|path| !path.as_os_str().is_empty())
        .map(|path| (path, VARIABLE));
    let of_suite = named
        .iter()
        .map(|path| (places.resolve(path), "`plugins` of the suite"));
    for (path, origin) in of_environment.chain(of_suite) {
        if path.is_dir() {
            found.extend(in_folder(&path));
        } else if path.is_file() {
            found.push(path);
        } else {
            return Err(LibraryError::Missing { path, origin });
        }
    }
    let mut canonical = Vec::new();
    for path in found {
        let path = fs_err::canonicalize(&path).map_err(|source| LibraryError::Read {
            path: path.clone(),
            source,
        })?;
        if !canonical.contains(&path) {
            canonical.push(path);
        }
    }
    Ok(canonical)
}

/// Libraries of a folder that are named as plugins, in order of their names.
fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let prefix = format!("{DLL_PREFIX}harness_plugin_");
    let mut found: Vec<PathBuf> = fs_err::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with(&prefix) && name.ends_with(DLL_SUFFIX))
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_plugins_and_a_file_itself() {
        let folder = tempfile::tempdir().unwrap();
        let library = |name: &str| format!("{DLL_PREFIX}{name}{DLL_SUFFIX}");
        for name in ["harness_plugin_b", "harness_plugin_a", "other"] {
            std::fs::write(folder.path().join(library(name)), "").unwrap();
        }
        std::fs::write(folder.path().join("harness_plugin_a.txt"), "").unwrap();
        let places = Places::at(folder.path().to_owned(), folder.path().to_owned());
        let names = |named: &[&str]| -> Vec<String> {
            let found = find(&places, named).unwrap().into_iter();
            let here = fs_err::canonicalize(folder.path()).unwrap();
            found
                .filter_map(|path| Some(path.strip_prefix(&here).ok()?.display().to_string()))
                .collect()
        };
        let a = library("harness_plugin_a");
        let b = library("harness_plugin_b");
        assert_eq!(names(&["."]), [a.clone(), b]);
        let other = library("other");
        assert_eq!(names(&[&other, &a, &other]), [other.clone(), a.clone()]);
        let error = find(&places, &["nowhere.so"]).unwrap_err().to_string();
        assert!(
            error.contains("nowhere.so") && error.contains("`plugins`"),
            "{error}"
        );
    }
}
