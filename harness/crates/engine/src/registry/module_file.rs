//! Files of modules that were trained elsewhere.

use std::path::{Path, PathBuf};

use harness_abi::wire::{ModuleHeader, Recipe};
use harness_host::module_file::{ModuleError, read_header};
use harness_store::sha256_hex;

/// A module file that a suite names.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleFile {
    pub path: PathBuf,
    pub sha256: String,
    /// Size of the file.
    pub bytes: u64,
    pub header: ModuleHeader,
}

/// Why a file cannot be used as a module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleFileError {
    #[error(transparent)]
    Read(#[from] std::io::Error),
    #[error("{}: {source}", .path.display())]
    Unusable { path: PathBuf, source: ModuleError },
}

impl ModuleFile {
    /// The recipe it was trained with, as far as its header says.
    pub fn recipe(&self) -> Option<&Recipe> {
        self.header.origin.as_ref()?.recipe.as_ref()
    }

    /// Reads the header and hashes the file.
    ///
    /// # Errors
    /// The file cannot be read or is not a module file.
    pub fn read(path: &Path) -> Result<Self, ModuleFileError> {
        let bytes = fs_err::read(path)?;
        let path = path.to_owned();
        match read_header(&bytes) {
            Ok(header) => Ok(Self {
                path,
                sha256: sha256_hex(&bytes),
                bytes: bytes.len() as u64,
                header,
            }),
            Err(source) => Err(ModuleFileError::Unusable { path, source }),
        }
    }
}
