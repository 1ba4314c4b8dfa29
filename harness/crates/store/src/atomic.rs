//! A file put in another's place in one step.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::temporary::{is_abandoned, temporary_prefix};

/// Like [`replace_file`], for bytes in memory.
///
/// # Errors
/// The folder is missing or cannot be written to; the old file is intact.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_file(path, |out| out.write_all(bytes)).map(drop)
}

/// Writes a sibling of `path`, flushes it to the disk and renames it to `path`; returns its
/// length in bytes. Readers see the old file or the whole new one, and a failure leaves the
/// old one. A link stays a link: its target is replaced. A pipe or a terminal is written to
/// directly, and counts as 0 bytes.
///
/// # Errors
/// The folder is missing or cannot be written to, or `write` fails.
pub fn replace_file<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<u64, E> {
    // What a link points to is replaced, not the link.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
    // A pipe or a terminal has no place that could be swapped.
    if std::fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
        let mut out = BufWriter::new(fs_err::OpenOptions::new().write(true).open(&path)?);
        write(&mut out)?;
        out.flush()?;
        return Ok(0);
    }
    let folder = folder_of(&path);
    let mut out = BufWriter::new(draft(&folder)?);
    write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    let length = file.as_file().metadata()?.len();
    put_in_place(file, &folder, &path)?;
    Ok(length)
}

/// Puts a file with exactly these permissions at `path`, in one step. A link there is
/// replaced, not followed.
///
/// # Errors
/// The folder is missing or cannot be written to; what was there is intact.
#[cfg(unix)]
pub fn install_file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = folder_of(path);
    let mut file = draft(&folder)?;
    file.write_all(bytes)?;
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    file.as_file().set_permissions(permissions)?;
    put_in_place(file, &folder, path)
}

/// Flushes a finished draft to the disk and renames it to `path`.
fn put_in_place(file: tempfile::NamedTempFile, folder: &Path, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    let draft = file.into_temp_path();
    std::fs::rename(&draft, path).map_err(|error| {
        let reason = format!("cannot write {}: {error}", path.display());
        io::Error::new(error.kind(), reason)
    })?;
    // Nothing is left under its name; a failed rename has it removed.
    let _ = draft.keep();
    // The rename itself is durable only once the folder is.
    fs_err::File::open(folder)?.sync_all()
}

/// Puts a symbolic link to `target` at `path`, whatever was there.
///
/// # Errors
/// The folder is missing or cannot be written to.
pub fn replace_link(path: &Path, target: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fresh = path.with_file_name(format!("{}{name}", temporary_prefix()));
    match fs_err::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs_err::os::unix::fs::symlink(target, &fresh)?;
    fs_err::rename(&fresh, path)
}

/// Removes what killed commands left unfinished in the folder of `path`, as far as that is known: drafts
/// of processes that are gone, or that nothing was written to for an hour.
pub fn collect_drafts(path: &Path) {
    let entries = std::fs::read_dir(folder_of(path)).into_iter().flatten();
    for entry in entries.flatten() {
        let (path, about) = (entry.path(), entry.metadata());
        let written = about.as_ref().ok().and_then(|about| about.modified().ok());
        if written.and_then(|written| is_abandoned(&path, written)) != Some(true) {
            continue;
        }
        // What cannot be removed is in nobody's way.
        let _ = match about.is_ok_and(|about| about.is_dir()) {
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
    }
}

/// A folder beside `path` for what becomes that file, removed when it is dropped and collected by
/// [`collect_drafts`] if the process is killed.
///
/// # Errors
/// The folder above is missing or cannot be written to.
pub fn draft_folder(path: &Path) -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new()
        .prefix(&temporary_prefix())
        .tempdir_in(folder_of(path))
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// An unfinished file with the permissions of any new file: what the umask leaves.
fn draft(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let prefix = temporary_prefix();
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        write_atomically(&path, b"old").unwrap();
        let failed = replace_file(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn new_files_have_the_permissions_that_the_umask_leaves() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write_atomically(&ours, b"x").unwrap();
        std::fs::write(&plain, b"x").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn drafts_of_processes_that_are_gone_are_collected_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        // Linux gives no process a number this large.
        let gone = crate::temporary::tests::temporary_name(i32::MAX as u32);
        let alive = crate::temporary::tests::temporary_name(std::process::id());
        std::fs::write(folder.path().join(&gone), "x").unwrap();
        std::fs::create_dir(folder.path().join(format!("{gone}-d"))).unwrap();
        std::fs::write(folder.path().join(format!("{gone}-d/draft")), "x").unwrap();
        std::fs::write(folder.path().join(&alive), "x").unwrap();
        std::fs::write(folder.path().join("theirs"), "x").unwrap();
        let path = folder.path().join("report.json");
        let own = draft_folder(&path).unwrap();
        collect_drafts(&path);
        let left = std::fs::read_dir(folder.path()).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().path()).collect();
        left.sort();
        let mut expected = [
            own.path().to_owned(),
            folder.path().join(alive),
            folder.path().join("theirs"),
        ];
        expected.sort();
        assert_eq!(left, expected);
    }

    #[test]
    fn an_installed_file_replaces_a_link_and_has_its_permissions() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write_atomically(&file, b"old").unwrap();
        replace_link(&link, Path::new("file")).unwrap();
        install_file(&link, b"new", 0o755).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"old");
        let found = std::fs::symlink_metadata(&link).unwrap();
        assert!(found.is_file());
        assert_eq!(found.permissions().mode() & 0o777, 0o755);
    }

    #[test]
    fn a_link_stays_and_its_target_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write_atomically(&file, b"old").unwrap();
        replace_link(&link, Path::new("nowhere")).unwrap();
        replace_link(&link, Path::new("file")).unwrap();
        write_atomically(&link, b"new").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert_eq!(std::fs::read_link(&link).unwrap(), Path::new("file"));
    }
}
