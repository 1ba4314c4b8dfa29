//! Built-in suites by name.

use std::path::{Path, PathBuf};

use harness_engine::registry::built_in_suite;

/// The suite at a path or, if no file is there, the built-in one of that name.
pub(crate) fn find_suite(path: &Path) -> PathBuf {
    let Some(found) = built_in_suite(path) else {
        return path.to_owned();
    };
    say!(
        "note: {} is not in this folder; using the built-in suite {}",
        path.display(),
        found.display()
    );
    found
}
