//! Where an executable finds the plugins and suites that belong to it: under the prefix it
//! is installed in, or in the checkout it was built in.

use std::path::{Path, PathBuf};

/// Folder of plugins under a prefix, beside `bin`.
pub const INSTALLED_PLUGINS: &str = "lib/harness";
/// Folder of the built-in suites and their embedded data under a prefix.
pub const INSTALLED_SUITES: &str = "share/harness/suites";

/// Folder of the embedded backbones and data sets beside the suites.
const EMBEDDED: &str = "embedded";

/// The folder of plugins that was installed with this executable.
pub(super) fn plugin_folder() -> Option<PathBuf> {
    let folder = prefix()?.join(INSTALLED_PLUGINS);
    folder.is_dir().then_some(folder)
}

/// The embedded backbones and data sets that were installed with this executable.
pub(super) fn embedded_folder() -> Option<PathBuf> {
    let folder = prefix()?.join(INSTALLED_SUITES).join(EMBEDDED);
    folder.is_dir().then_some(folder)
}

/// The folder of built-in suites: the installed one, or that of the checkout above the
/// executable or the current folder. It holds `embedded`.
pub fn suite_folder() -> Option<PathBuf> {
    let installed = prefix().map(|prefix| prefix.join(INSTALLED_SUITES));
    let starts: Vec<PathBuf> = executable()
        .into_iter()
        .chain(std::env::current_dir())
        .collect();
    let above = starts.iter().flat_map(|start| start.ancestors());
    installed
        .into_iter()
        .chain(above.map(|folder| folder.join("suites")))
        .find(|folder| folder.join(EMBEDDED).is_dir())
}

/// A suite's path, or that of the built-in suite of this name if there is no such file:
/// `suites/quickstart.yaml`, `quickstart.yaml` and `quickstart` are names of one.
pub fn built_in_suite(path: &Path) -> Option<PathBuf> {
    if path.exists() || path.is_absolute() {
        return None;
    }
    let name = path.strip_prefix("suites").unwrap_or(path);
    if name.components().count() != 1 {
        return None;
    }
    let folder = suite_folder()?;
    [name.to_owned(), name.with_extension("yaml")]
        .map(|name| folder.join(name))
        .into_iter()
        .find(|path| path.is_file())
}

/// The folder above the executable's own.
fn prefix() -> Option<PathBuf> {
    Some(executable()?.parent()?.parent()?.to_owned())
}

/// Links resolved: a link in `~/bin` leads to the installation.
fn executable() -> Option<PathBuf> {
    fs_err::canonicalize(std::env::current_exe().ok()?).ok()
}
