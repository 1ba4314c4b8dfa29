//! Copies modules to a folder, with a manifest beside them.

use std::io;
use std::path::{Path, PathBuf};

use harness_abi::wire::ModuleHeader;
use harness_store::{sha256_hex, write_atomically};
use serde::{Deserialize, Serialize};

use super::naming::NamedModule;

/// Name of the manifest in a folder of modules.
pub const MANIFEST: &str = "manifest.json";

/// The modules of a folder: what each is, and the hash that its file must have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`Manifest::FORMAT`].
    pub format: String,
    /// By file name.
    pub modules: Vec<ManifestEntry>,
}

/// One module of a [`Manifest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifestEntry {
    pub file: String,
    pub sha256: String,
    pub bytes: u64,
    pub header: ModuleHeader,
}

/// Why modules could not be copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    #[error("cannot write modules to {}: {source}", .folder.display())]
    Write { folder: PathBuf, source: io::Error },
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: changed while it was copied", .path.display())]
    Changed { path: PathBuf },
    #[error("{}: not a manifest of modules, so it is not overwritten", .path.display())]
    NotAManifest { path: PathBuf },
}

impl Manifest {
    /// The format that this version writes.
    pub const FORMAT: &'static str = "harness-modules/1";
}

impl From<&NamedModule> for ManifestEntry {
    fn from(one: &NamedModule) -> Self {
        Self {
            file: one.name.clone(),
            sha256: one.file.sha256.clone(),
            bytes: one.file.bytes,
            header: one.file.header.clone(),
        }
    }
}

/// Copies modules under their names to `folder`, which is made if need be, and lists them
/// in its manifest. Modules that an existing manifest lists stay listed.
///
/// # Errors
/// A file cannot be read or written, or `manifest.json` is something else.
pub fn export(modules: &[NamedModule], folder: &Path) -> Result<Manifest, ExportError> {
    let write = |source| ExportError::Write {
        folder: folder.to_owned(),
        source,
    };
    fs_err::create_dir_all(folder).map_err(write)?;
    let path = folder.join(MANIFEST);
    let mut entries = earlier(&path)?;
    for one in modules {
        let from = &one.file.path;
        let bytes = fs_err::read(from).map_err(|source| ExportError::Read {
            path: from.clone(),
            source,
        })?;
        if sha256_hex(&bytes) != one.file.sha256 {
            return Err(ExportError::Changed { path: from.clone() });
        }
        write_atomically(&folder.join(&one.name), &bytes).map_err(write)?;
        entries.retain(|entry| entry.file != one.name);
        entries.push(one.into());
    }
    entries.sort_by(|a, b| a.file.cmp(&b.file));
    let manifest = Manifest {
        format: Manifest::FORMAT.to_owned(),
        modules: entries,
    };
    let mut text = serde_json::to_vec_pretty(&manifest).map_err(|error| write(error.into()))?;
    text.push(b'\n');
    write_atomically(&path, &text).map_err(write)?;
    Ok(manifest)
}

/// What the manifest of the folder lists already.
fn earlier(path: &Path) -> Result<Vec<ManifestEntry>, ExportError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            let path = path.to_owned();
            return Err(ExportError::Read { path, source });
        }
    };
    match serde_json::from_slice::<Manifest>(&bytes) {
        Ok(manifest) if manifest.format == Manifest::FORMAT => Ok(manifest.modules),
        _ => Err(ExportError::NotAManifest {
            path: path.to_owned(),
        }),
    }
}
