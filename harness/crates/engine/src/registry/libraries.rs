//! Which files are plugins: shared libraries by folder and file name, and scripts that are named.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};

use harness_host::plugin::has_record;

use super::{SearchPath, install_layout};

/// Environment variable that lists more folders and libraries, separated as in `PATH`.
const VARIABLE: &str = "HARNESS_PLUGIN_PATH";

/// Where a library was found, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Suite,
    Environment,
    Executable,
}

/// A shared library that may be a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Library {
    /// Canonical.
    pub(crate) path: PathBuf,
    pub(crate) origin: Origin,
}

/// Something that has the name of a plugin and is no library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusablePlugin {
    pub path: PathBuf,
    pub reason: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Libraries {
    pub(crate) usable: Vec<Library>,
    /// Scripts of Python.
    pub(crate) scripts: Vec<Library>,
    /// The library that runs them.
    pub(crate) python: Option<PathBuf>,
    pub(crate) unusable: Vec<UnusablePlugin>,
}

/// Whether a file is a script of Python, by its name.
pub(crate) fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "py")
}

/// File name of the library that runs scripts of Python.
fn python_library() -> String {
    format!("{DLL_PREFIX}harness_plugin_python{DLL_SUFFIX}")
}

/// Why a library that a suite or the environment names cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    #[error("no plugin at {} ({origin}): expected a shared library, a folder of them or a Python file", .path.display())]
    Missing { path: PathBuf, origin: &'static str },
}

/// Every library: those that the suite names, those in the environment's path, and
/// those beside the executable or installed with it. Each once. What lies in a folder under the name of a
/// plugin and is no file, such as a link to nothing, harms nothing.
///
/// # Errors
/// A path that was named does not exist.
pub(crate) fn find(search_path: &SearchPath, named: &[&str]) -> Result<Libraries, LibraryError> {
    let environment = std::env::var_os(VARIABLE).unwrap_or_default();
    let of_environment = std::env::split_paths(&environment)
        .filter(|path| !path.as_os_str().is_empty())
        .map(|path| (path, Origin::Environment));
    let of_suite = named
        .iter()
        .map(|path| (search_path.resolve(path), Origin::Suite));
    let mut found = Vec::new();
    for (path, origin) in of_suite.chain(of_environment) {
        if path.is_dir() {
            found.extend(in_folder(&path, is_plugin).map(|path| (path, origin)));
        } else if path.is_file() {
            found.push((path, origin));
        } else {
            let origin = match origin {
                Origin::Suite => "`plugins` of the suite",
                Origin::Environment | Origin::Executable => VARIABLE,
            };
            return Err(LibraryError::Missing { path, origin });
        }
    }
    let executable = std::env::current_exe().ok();
    if let Some(folder) = executable.as_deref().and_then(Path::parent) {
        let ours = in_folder(folder, is_named_as_plugin);
        found.extend(ours.map(|path| (path, Origin::Executable)));
    }
    if let Some(folder) = install_layout::plugin_folder() {
        let ours = in_folder(&folder, is_named_as_plugin);
        found.extend(ours.map(|path| (path, Origin::Executable)));
    }
    let mut libraries = Libraries::default();
    for (path, origin) in found {
        match canonical_file(&path) {
            Ok(path) => {
                let list = match is_script(&path) {
                    true => &mut libraries.scripts,
                    false => &mut libraries.usable,
                };
                let is_python = path
                    .file_name()
                    .is_some_and(|name| name == python_library().as_str());
                if is_python {
                    libraries.python.get_or_insert(path);
                } else if list.iter().all(|library| library.path != path) {
                    list.push(Library { path, origin });
                }
            }
            Err(error) => {
                let reason = error.to_string();
                libraries.unusable.push(UnusablePlugin { path, reason });
            }
        }
    }
    Ok(libraries)
}

/// Why a path leads to no library.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoFile {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("expected a shared library, found a folder, a pipe or a device")]
    NotRegular,
}

/// The file that a path leads to. Reading a pipe would wait, and reading a device never end.
pub(super) fn canonical_file(path: &Path) -> Result<PathBuf, NoFile> {
    let found = std::fs::canonicalize(path)?;
    match found.is_file() {
        true => Ok(found),
        false => Err(NoFile::NotRegular),
    }
}

/// The shared libraries in a folder that `is_wanted`, in order of their names.
fn in_folder(folder: &Path, is_wanted: fn(&Path) -> bool) -> impl Iterator<Item = PathBuf> {
    let mut found: Vec<PathBuf> = fs_err::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.ends_with(DLL_SUFFIX)) && is_wanted(path)
        })
        .collect();
    found.sort();
    found.into_iter()
}

/// Whether a library has the file name of the harness's own plugins.
fn is_named_as_plugin(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with(&format!("{DLL_PREFIX}harness_plugin_")))
}

/// Whether a library is meant as a plugin: by what it exports, or by its name, so that a damaged
/// one is reported.
fn is_plugin(path: &Path) -> bool {
    is_named_as_plugin(path) || has_record(path)
}

/// The plugins that a run finds without a suite's help, one for each file name.
///
/// # Errors
/// The environment names a plugin that is missing or cannot be read.
pub fn plugin_files() -> Result<Vec<PathBuf>, LibraryError> {
    let mut found: Vec<PathBuf> = Vec::new();
    let all = find(&SearchPath::of_current_folder(), &[])?;
    let libraries = all.usable.into_iter().map(|library| library.path);
    for path in libraries.chain(all.python) {
        let is_new = |other: &PathBuf| other.file_name() != path.file_name();
        if found.iter().all(is_new) {
            found.push(path);
        }
    }
    Ok(found)
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
        let search_path = SearchPath::at(folder.path().to_owned(), folder.path().to_owned());
        let names = |named: &[&str]| -> Vec<String> {
            let found = find(&search_path, named).unwrap().usable.into_iter();
            let here = fs_err::canonicalize(folder.path()).unwrap();
            found
                .filter_map(|library| {
                    Some(library.path.strip_prefix(&here).ok()?.display().to_string())
                })
                .collect()
        };
        let a = library("harness_plugin_a");
        let b = library("harness_plugin_b");
        assert_eq!(names(&["."]), [a.clone(), b]);
        let other = library("other");
        assert_eq!(names(&[&other, &a, &other]), [other.clone(), a.clone()]);
        let error = find(&search_path, &["nowhere.so"]).unwrap_err().to_string();
        assert!(
            error.contains("nowhere.so") && error.contains("`plugins`"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_file_in_a_folder_of_plugins_is_told_and_never_read() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| {
            let file = format!("{DLL_PREFIX}harness_plugin_{name}{DLL_SUFFIX}");
            folder.path().join(file)
        };
        std::fs::write(name("good"), "").unwrap();
        std::fs::create_dir(name("folder")).unwrap();
        let link = std::os::unix::fs::symlink::<&str, PathBuf>;
        link("nowhere", name("dangling")).unwrap();
        link("/dev/zero", name("endless")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(name("pipe"))
            .status();
        assert!(made.unwrap().success());
        let search_path = SearchPath::at(folder.path().to_owned(), folder.path().to_owned());
        let found = find(&search_path, &["."]).unwrap();
        let is_here = |path: &&Path| path.starts_with(folder.path());
        let usable = found.usable.iter().map(|library| library.path.as_path());
        assert_eq!(usable.filter(is_here).count(), 1);
        let reasons: Vec<&str> = found
            .unusable
            .iter()
            .filter(|one| is_here(&one.path.as_path()))
            .map(|one| one.reason.as_str())
            .collect();
        assert_eq!(reasons.len(), 4, "{reasons:?}");
        assert!(reasons.iter().any(|one| one.contains("No such file")));
        assert_eq!(
            reasons.iter().filter(|one| one.contains("a pipe")).count(),
            3
        );
    }
}
