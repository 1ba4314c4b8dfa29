//! Files and folders that a command will write, checked before anything else is done.

use std::io;
use std::path::{Path, PathBuf};

use harness_report::ExitCode;

use crate::failure::Failure;

/// Fails before hours are spent on a file whose folder is missing or cannot be written to.
pub(crate) fn check_files<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> Result<(), Failure> {
    for path in paths {
        let checked = match path.is_dir() {
            true => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            false => probe(folder_of(path)),
        };
        checked.map_err(|error| unwritable(path, &error))?;
    }
    Ok(())
}

/// The same for a folder that is created if it is missing.
pub(crate) fn check_folder(path: &Path) -> Result<(), Failure> {
    let mut existing = path;
    while !existing.as_os_str().is_empty() && !existing.exists() {
        existing = folder_of(existing);
    }
    let checked = match existing.is_dir() {
        true => probe(existing),
        false => Err(io::Error::from(io::ErrorKind::NotADirectory)),
    };
    checked.map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{}: cannot be written: {error}", path.display());
    Failure::new(ExitCode::OutputNotWritten, message)
        .hint("nothing was run; create the folder or choose another")
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Creates and removes a file in a folder.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".harness-{}.tmp", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)
}
