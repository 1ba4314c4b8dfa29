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

impl ModuleFile {
    /// Reads the header and hashes the file.
    ///
    /// # Errors
    /// A sentence that names the file: it cannot be read or is no module file.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let bytes = fs_err::read(path).map_err(|error| error.to_string())?;
        let wrong = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
        let (_, head) = SafeTensors::read_metadata(&bytes)
            .map_err(|error| wrong(&format!("not a safetensors file: {error}")))?;
        let text = head.metadata().as_ref();
        let text = text.and_then(|entries| entries.get(ModuleHeader::KEY));
        let text = text.ok_or_else(|| {
            wrong(&"no module file, its header has no entry `harness`; `harness convert --module` makes one")
        })?;
        let header: ModuleHeader = serde_json::from_str(text)
            .map_err(|error| wrong(&format!("its entry `harness` is malformed: {error}")))?;
        if header.format != ModuleHeader::FORMAT {
            return Err(wrong(&format!(
                "its format is `{}`, expected `{}`",
                header.format,
                ModuleHeader::FORMAT
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            sha256: sha256_hex(&bytes),
            header,
        })
    }
}
