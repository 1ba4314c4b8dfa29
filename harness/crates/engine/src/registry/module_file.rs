//! Files of modules that were trained elsewhere.

use std::path::{Path, PathBuf};

use harness_abi::wire::ModuleHeader;
use safetensors::SafeTensors;

use harness_store::sha256_hex;

/// A module file that a suite names.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleFile {
    pub path: PathBuf,
    pub sha256: String,
    pub header: ModuleHeader,
}

/// Why a file cannot be used as a module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleFileError {
    #[error(transparent)]
    Read(#[from] std::io::Error),
    #[error("{}: not a safetensors file: {source}", .path.display())]
    NotSafetensors {
        path: PathBuf,
        source: safetensors::SafeTensorError,
    },
    #[error(
        "{}: not a module file: its header has no entry `{}`; `harness convert --module` makes a module from a checkpoint",
        .path.display(), ModuleHeader::KEY
    )]
    NotAModule { path: PathBuf },
    #[error("{}: malformed header entry `{}`: {source}", .path.display(), ModuleHeader::KEY)]
    MalformedHeader {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("{}: expected the format `{}`, found `{found}`", .path.display(), ModuleHeader::FORMAT)]
    Format { path: PathBuf, found: String },
}

impl ModuleFile {
    /// Reads the header and hashes the file.
    ///
    /// # Errors
    /// The file cannot be read or is not a module file.
    pub(crate) fn read(path: &Path) -> Result<Self, ModuleFileError> {
        let bytes = fs_err::read(path)?;
        let path = path.to_owned();
        let head = match SafeTensors::read_metadata(&bytes) {
            Ok((_, head)) => head,
            Err(source) => return Err(ModuleFileError::NotSafetensors { path, source }),
        };
        let entries = head.metadata().as_ref();
        let Some(text) = entries.and_then(|entries| entries.get(ModuleHeader::KEY)) else {
            return Err(ModuleFileError::NotAModule { path });
        };
        let header: ModuleHeader = match serde_json::from_str(text) {
            Ok(header) => header,
            Err(source) => return Err(ModuleFileError::MalformedHeader { path, source }),
        };
        if header.format != ModuleHeader::FORMAT {
            let found = header.format;
            return Err(ModuleFileError::Format { path, found });
        }
        Ok(Self {
            path,
            sha256: sha256_hex(&bytes),
            header,
        })
    }
}
