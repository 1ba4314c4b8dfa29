//! A file put in another's place in one step.

use std::io::{self, BufWriter, Write};
use std::path::Path;

/// As [`replace_file`], of bytes that are all there.
///
/// # Errors
/// The folder is missing or cannot be written to; the old file is intact then.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_file(path, |out| out.write_all(bytes))
}

/// Writes a file beside its destination first, then moves it there: a reader never
/// sees half of it, and a failure leaves what was there before. A link stays a link; a
/// pipe or a terminal is written to directly.
///
/// # Errors
/// The place cannot be written, or `write` fails.
pub fn replace_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    // What a link points to is replaced, not the link.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
    // A pipe or a terminal has no place that could be swapped.
    if std::fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
        let mut out = BufWriter::new(std::fs::OpenOptions::new().write(true).open(&path)?);
        write(&mut out)?;
        return out.flush();
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".report-");
    // As any new file: what the process's umask leaves.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut out = BufWriter::new(builder.tempfile_in(folder)?);
    write(&mut out)?;
    let file = out.into_inner()?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
