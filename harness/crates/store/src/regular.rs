//! Reading files that may have been tampered with: a folder, pipe, device or link in the place of
//! a file is refused, never waited for.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::digest::sha256_reader;

/// Opens a regular file; `None` if nothing is there.
///
/// # Errors
/// What is there is no regular file, or cannot be opened.
pub(crate) fn open(path: &Path) -> io::Result<Option<File>> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => check(&found?)?,
    }
    // What is put there between the two looks must not be waited for either.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
        Ok(file) => {
            let file = File::from(file);
            check(&file.metadata()?)?;
            Ok(Some(file))
        }
    }
}

/// The bytes of a regular file; `None` if nothing is there.
///
/// # Errors
/// As for [`open`], or reading fails.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let Some(mut file) = open(path)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// SHA-256 of a regular file; `None` if nothing is there.
///
/// # Errors
/// As for [`open`], or reading fails.
pub(crate) fn sha256(path: &Path) -> io::Result<Option<String>> {
    open(path)?
        .map(|mut file| sha256_reader(&mut file))
        .transpose()
}

/// Why something that is no regular file cannot stand for one.
fn check(about: &std::fs::Metadata) -> io::Result<()> {
    match kind(about) {
        None => Ok(()),
        Some(kind) => Err(io::Error::other(format!("{kind} is in its place"))),
    }
}

/// What it is instead of a regular file, if it is not one.
pub(crate) fn kind(about: &std::fs::Metadata) -> Option<&'static str> {
    let found = about.file_type();
    if found.is_file() {
        None
    } else if found.is_dir() {
        Some("a directory")
    } else if found.is_symlink() {
        Some("a symbolic link")
    } else {
        Some("a pipe or a device")
    }
}

/// Makes room for a file: removes what is no regular file and no part of the store.
///
/// # Errors
/// It cannot be removed.
pub(crate) fn make_room(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(about) if about.is_dir() => fs_err::remove_dir_all(path),
        Ok(about) if !about.is_file() => fs_err::remove_file(path),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_refused_at_once_and_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "abc").unwrap();
        std::fs::create_dir(at("directory")).unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("endless")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("pipe"),
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert_eq!(read(&at("nothing")).unwrap(), None);
        assert_eq!(read(&at("file")).unwrap().unwrap(), b"abc");
        for (name, reason) in [
            ("directory", "a directory"),
            ("link", "a symbolic link"),
            ("endless", "a symbolic link"),
            ("pipe", "a pipe or a device"),
        ] {
            let error = read(&at(name)).unwrap_err().to_string();
            assert_eq!(error, format!("{reason} is in its place"));
            make_room(&at(name)).unwrap();
            assert_eq!(read(&at(name)).unwrap(), None, "{name}");
        }
        make_room(&at("file")).unwrap();
        assert!(at("file").exists(), "files stay, links are not followed");
    }
}
