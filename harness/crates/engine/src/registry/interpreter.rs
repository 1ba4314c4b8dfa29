//! Which program runs the scripts.

use std::path::{Path, PathBuf};

use super::SearchPath;

/// Environment variable that a virtual environment sets to its folder.
const VARIABLE: &str = "VIRTUAL_ENV";
/// What is looked up where nothing was said.
const DEFAULT: &str = "python3";

/// The interpreter of Python scripts: that of the command line, of the suite, of the active
/// virtual environment, or `python3`. Each is a path, the folder of a virtual environment, or a
/// name that is looked up as a shell would. Paths of the command line are absolute.
pub(super) fn python(
    search_path: &SearchPath,
    of_command_line: Option<&str>,
    of_suite: Option<&str>,
) -> String {
    let of_suite = || {
        let named = of_suite?;
        let is_path = Path::new(named).components().count() > 1;
        Some(match is_path {
            true => search_path.resolve(named),
            false => PathBuf::from(named),
        })
    };
    let of_environment = || {
        let folder = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
        folder.map(PathBuf::from)
    };
    let found = of_command_line.map(PathBuf::from);
    let found = found.or_else(of_suite).or_else(of_environment);
    let program = found.map(|path| match path.is_dir() {
        // The link itself: behind it Python does not find the environment.
        true => path.join("bin/python"),
        false => path,
    });
    program.map_or_else(
        || DEFAULT.to_owned(),
        |path| path.to_string_lossy().into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_precedes_the_suite_and_folders_are_environments() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("venv")).unwrap();
        let here = SearchPath::at(folder.path().to_owned(), folder.path().to_owned());
        let of = |line, suite| python(&here, line, suite);
        assert_eq!(of(Some("/opt/python"), Some("python3.9")), "/opt/python");
        assert_eq!(of(None, Some("python3.9")), "python3.9");
        let expected = folder.path().join("./venv/bin/python");
        assert_eq!(Path::new(&of(None, Some("./venv"))), expected);
    }
}
