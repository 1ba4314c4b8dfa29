//! Puts an installation under a prefix, and removes one.

use std::io;
use std::path::{Component, Path, PathBuf};

use harness_store::install_file;

use super::Contents;
use super::contents::{Item, MANIFEST};

/// Writes every file under `prefix`, each in one step so that a running program keeps its
/// own, and removes what an earlier installation put there and this one no longer has.
pub(crate) fn install(contents: &Contents, prefix: &Path) -> io::Result<()> {
    let before = listed(prefix)?;
    for item in &contents.items {
        put(item, prefix)?;
    }
    let is_kept = |path: &PathBuf| {
        let items = contents.items.iter();
        items
            .map(|item| Path::new(&item.path))
            .any(|kept| kept == path)
    };
    let gone: Vec<PathBuf> = before.into_iter().filter(|path| !is_kept(path)).collect();
    remove(prefix, &gone)
}

/// Removes the files of an installation and the folders that are empty then; returns the
/// number of files.
pub(crate) fn uninstall(prefix: &Path) -> io::Result<usize> {
    let files = listed(prefix)?;
    remove(prefix, &files)?;
    Ok(files.len())
}

fn put(item: &Item, prefix: &Path) -> io::Result<()> {
    let path = prefix.join(&item.path);
    let folder = path.parent().unwrap_or(prefix);
    fs_err::create_dir_all(folder)?;
    let mode = if item.is_executable { 0o755 } else { 0o644 };
    install_file(&path, &item.read()?, mode)
}

/// The files that the manifest under `prefix` lists; none without a manifest. Lines that
/// would lead out of the prefix are left out.
fn listed(prefix: &Path) -> io::Result<Vec<PathBuf>> {
    let text = match fs_err::read_to_string(prefix.join(MANIFEST)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let is_inside = |path: &PathBuf| {
        let mut parts = path.components();
        path.file_name().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    Ok(text.lines().map(PathBuf::from).filter(is_inside).collect())
}

fn remove(prefix: &Path, files: &[PathBuf]) -> io::Result<()> {
    for file in files {
        match fs_err::remove_file(prefix.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Up to the first folder that holds something else.
        for folder in file.ancestors().skip(1) {
            if folder.as_os_str().is_empty() || std::fs::remove_dir(prefix.join(folder)).is_err() {
                break;
            }
        }
    }
    Ok(())
}
