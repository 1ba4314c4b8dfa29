//! The zip archives that `torch.save` and `torch.jit.save` write.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use zip::{CompressionMethod, ZipArchive};

use super::error::ConvertError;

/// Bytes of a `data.pkl` that is read; real ones have far less than one MiB.
const MOST_PICKLE: u64 = 64 << 20;

/// An opened checkpoint.
pub(crate) struct Archive {
    path: PathBuf,
    zip: ZipArchive<fs_err::File>,
    /// The folder in the archive that contains everything.
    root: String,
    length: u64,
}

impl Archive {
    pub(crate) fn open(path: &Path) -> Result<Self, ConvertError> {
        let mut file = fs_err::File::open(path)?;
        let length = file.metadata()?.len();
        let mut start = [0; 4];
        let read = file.read(&mut start)?;
        file.seek(SeekFrom::Start(0))?;
        let fail = |reason: String| ConvertError::Archive {
            path: path.to_owned(),
            reason,
        };
        if let Some(reason) = refusal(&start[..read]) {
            return Err(fail(reason.to_owned()));
        }
        let zip = ZipArchive::new(file)
            .map_err(|error| fail(format!("a damaged or truncated archive: {error}")))?;
        let pickles: Vec<String> = zip
            .file_names()
            .flatten()
            .filter_map(|name| Some(name.strip_suffix("/data.pkl")?.to_owned()))
            .filter(|root| !root.contains('/'))
            .collect();
        let [root] = pickles.as_slice() else {
            return Err(fail(format!(
                "expected one NAME/data.pkl in the archive, found {}; it is not a PyTorch checkpoint",
                pickles.len()
            )));
        };
        let mut archive = Self {
            path: path.to_owned(),
            root: root.clone(),
            zip,
            length,
        };
        archive.check_byte_order()?;
        Ok(archive)
    }

    /// Size of the file in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The program that describes the tensors.
    pub(crate) fn pickle(&mut self) -> Result<Vec<u8>, ConvertError> {
        self.read("data.pkl", None, MOST_PICKLE)
    }

    /// The bytes of a storage, which must be `size`.
    pub(crate) fn storage(&mut self, key: &str, size: u64) -> Result<Vec<u8>, ConvertError> {
        self.read(&format!("data/{key}"), Some(size), self.length)
    }

    fn check_byte_order(&mut self) -> Result<(), ConvertError> {
        let name = format!("{}/byteorder", self.root);
        if self.zip.index_for_name(&name).is_none() {
            return Ok(());
        }
        match self.read("byteorder", None, 16)?.as_slice() {
            b"little" => Ok(()),
            _ => Err(self.entry("byteorder", "the numbers are not little-endian".to_owned())),
        }
    }

    fn read(&mut self, name: &str, size: Option<u64>, most: u64) -> Result<Vec<u8>, ConvertError> {
        let path = self.path.clone();
        let fail = |reason: String| ConvertError::Entry {
            path: path.clone(),
            entry: name.to_owned(),
            reason,
        };
        let full = format!("{}/{name}", self.root);
        let entry = self.zip.by_name(&full);
        let mut entry = entry.map_err(|error| fail(format!("not in the archive: {error}")))?;
        if entry.compression() != CompressionMethod::Stored {
            return Err(fail(
                "it is compressed, which PyTorch never does; refused, since a small file could become any size".to_owned(),
            ));
        }
        let found = entry.size();
        if let Some(expected) = size.filter(|expected| *expected != found) {
            return Err(fail(format!("expected {expected} bytes, found {found}")));
        }
        if found > most {
            return Err(fail(format!(
                "{found} bytes, more than the limit of {most}"
            )));
        }
        let mut bytes = Vec::new();
        let read = entry.by_ref().take(most + 1).read_to_end(&mut bytes);
        read.map_err(|error| match error.kind() {
            ErrorKind::OutOfMemory => fail(format!(
                "{found} bytes are more than the memory that is left; allow more with --memory"
            )),
            _ => fail(format!("damaged: {error}")),
        })?;
        if bytes.len() as u64 != found {
            return Err(fail(format!(
                "expected {found} bytes, found {}",
                bytes.len()
            )));
        }
        Ok(bytes)
    }

    pub(crate) fn entry(&self, entry: &str, reason: String) -> ConvertError {
        ConvertError::Entry {
            path: self.path.clone(),
            entry: entry.to_owned(),
            reason,
        }
    }
}

/// What a file that is not a zip archive is, from its first bytes.
fn refusal(start: &[u8]) -> Option<&'static str> {
    match start {
        [b'P', b'K', ..] => None,
        [0x80, ..] => Some(
            "a checkpoint in the format before PyTorch 1.6, which is not read; load it with PyTorch and save it again",
        ),
        [b'.' | 0..32, ..] => Some(
            "no zip archive and no pickle; perhaps a checkpoint in the tar format of the first PyTorch versions, which is not read",
        ),
        [] => Some("an empty file"),
        _ => Some(
            "no zip archive, which a PyTorch checkpoint is; perhaps it is already a safetensors file, or what a failed download left",
        ),
    }
}
