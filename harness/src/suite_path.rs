//! Suites by path, and built-in ones by name.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use harness_engine::registry::{built_in_suite, suite_folder};
use harness_engine::suite::closest;
use harness_report::ExitCode;

use crate::failure::Failure;

/// The suite at a path or, if no file is there, the built-in one of that name.
///
/// # Errors
/// Neither is there, or the path is a folder.
pub(crate) fn find_suite(path: &Path) -> Result<PathBuf, Failure> {
    if let Some(found) = built_in_suite(path) {
        say!(
            "note: {} is not in this folder; using the built-in suite {}",
            path.display(),
            found.display()
        );
        return Ok(found);
    }
    let reason = match path.metadata() {
        Err(error) => error.to_string(),
        Ok(found) if found.is_dir() => "it is a folder".to_owned(),
        Ok(_) => return Ok(path.to_owned()),
    };
    let message = format!("cannot read the suite {}: {reason}", path.display());
    let failure = Failure::new(ExitCode::SetUp, message);
    Err(match meant(path) {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
}

/// What was probably meant by the path of a suite that cannot be read: a suite in the folder that
/// it names, or a file or a built-in suite of almost that name.
fn meant(path: &Path) -> Option<String> {
    if path.is_dir() {
        let inside: Vec<String> = suites(path);
        let named: Vec<String> = inside
            .iter()
            .take(5)
            .map(|name| path.join(name).display().to_string())
            .collect();
        return Some(match named.is_empty() {
            true => "name the file of a suite; `harness init` writes one".to_owned(),
            false => format!("name one of the suites in it: {}", named.join(", ")),
        });
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let found = path.file_name().and_then(OsStr::to_str)?;
    let mut known = suites(folder);
    if let Some(bundled) = suite_folder() {
        let stems = suites(&bundled).into_iter();
        known.extend(stems.filter_map(|name| Some(name.rsplit_once('.')?.0.to_owned())));
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Some(match closest(found, &known) {
        Some(name) if name.contains('.') => {
            format!("did you mean {}?", path.with_file_name(name).display())
        }
        Some(name) => format!("did you mean {name}?"),
        None => "`harness init` writes a suite to start from".to_owned(),
    })
}

/// Names of the YAML files in a folder.
fn suites(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"))
        .collect();
    names.sort();
    names
}
