//! A relocatable archive of an installation.

use std::io;
use std::path::{Path, PathBuf};

use harness_store::write_atomically;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tar::{Builder, EntryType, Header};

use super::Contents;

/// `harness-VERSION-TARGET`, the archive's only folder and the name of its file.
fn archive_name() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("harness-{version}-{}", env!("HARNESS_TARGET"))
}

/// Writes `harness-VERSION-TARGET.tar.zst` into a folder, which is made where it is
/// missing. The same contents give the same bytes.
pub(crate) fn write_archive(contents: &Contents, folder: &Path) -> io::Result<PathBuf> {
    let name = archive_name();
    let mut tar = Builder::new(Vec::new());
    for item in &contents.items {
        let bytes = item.read()?;
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(if item.is_executable { 0o755 } else { 0o644 });
        // No owner and a fixed time, the one that `tar` crates and cargo use.
        header.set_mtime(1_153_704_088);
        tar.append_data(&mut header, format!("{name}/{}", item.path), &bytes[..])?;
    }
    let tar = tar.into_inner()?;
    // Compressed in memory: the encoder panics where its output cannot be written.
    let bytes = compress_to_vec(&tar[..], CompressionLevel::Fastest);
    fs_err::create_dir_all(folder)?;
    let path = folder.join(format!("{name}.tar.zst"));
    write_atomically(&path, &bytes)?;
    Ok(path)
}
