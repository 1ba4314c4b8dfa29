//! The file that a method is compared through: inputs that another implementation reads, and
//! what it computed from them. safetensors, with a description in the metadata.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Key of the description in the metadata.
const KEY: &str = "harness";
/// What the description says it is.
const FORMAT: &str = "harness-compare/1";

/// What a comparison is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AboutComparison {
    /// Always `harness-compare/1`.
    pub format: String,
    pub method: String,
    pub config: Value,
    pub backbone: String,
    pub dataset: String,
    pub shots: u32,
    pub seed: u64,
    /// Images of the batch.
    pub batch: usize,
    pub class_names: Vec<String>,
    /// The data set's first template.
    pub template: String,
    /// Folder of the backbone's weights when the inputs were written.
    pub weights: String,
}

impl AboutComparison {
    /// The format that is written and read.
    pub fn format() -> String {
        FORMAT.to_owned()
    }
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComparisonFileError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("{path}: not a safetensors file: {reason}")]
    NotSafetensors { path: String, reason: String },
    #[error(
        "{path}: no description of a comparison in its metadata ({reason}); pass the metadata of the inputs on, as in `save_file(tensors, path, metadata)`"
    )]
    NotDescribed { path: String, reason: String },
    #[error("{path}: tensor {name}: expected numbers in f32 or f64, found {found:?}")]
    DType {
        path: String,
        name: String,
        found: DType,
    },
}

/// A file of a comparison.
pub struct ComparisonFile {
    pub about: AboutComparison,
    /// Every tensor in f32; classes as well.
    pub tensors: HashMap<String, Tensor>,
}

impl ComparisonFile {
    /// Reads a whole file.
    ///
    /// # Errors
    /// It is no safetensors file, has no description, or has tensors of other types.
    pub fn read(path: &Path) -> Result<Self, ComparisonFileError> {
        let bytes = fs_err::read(path)?;
        let shown = || path.display().to_string();
        let broken = |reason: String| ComparisonFileError::NotSafetensors {
            path: shown(),
            reason,
        };
        let (_, metadata) =
            SafeTensors::read_metadata(&bytes).map_err(|error| broken(error.to_string()))?;
        let text = metadata.metadata().as_ref().and_then(|map| map.get(KEY));
        let about = match text {
            None => Err(format!("there is no entry {KEY:?}")),
            Some(text) => match serde_json::from_str::<AboutComparison>(text) {
                Ok(about) if about.format == FORMAT => Ok(about),
                Ok(other) => Err(format!(
                    "expected the format {FORMAT:?}, found {:?}",
                    other.format
                )),
                Err(error) => Err(error.to_string()),
            },
        };
        let about = about.map_err(|reason| ComparisonFileError::NotDescribed {
            path: shown(),
            reason,
        })?;
        let loaded = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu);
        let mut tensors = HashMap::new();
        for (name, tensor) in loaded.map_err(|error| broken(error.to_string()))? {
            let found = tensor.dtype();
            if !matches!(found, DType::F32 | DType::F64 | DType::I64 | DType::U32) {
                return Err(ComparisonFileError::DType {
                    path: shown(),
                    name,
                    found,
                });
            }
            let tensor = tensor.to_dtype(DType::F32);
            tensors.insert(name, tensor.map_err(|error| broken(error.to_string()))?);
        }
        Ok(Self { about, tensors })
    }

    /// Writes inputs.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(
        path: &Path,
        about: &AboutComparison,
        tensors: &HashMap<String, Tensor>,
    ) -> Result<(), ComparisonFileError> {
        let unwritable = |reason: String| ComparisonFileError::NotSafetensors {
            path: path.display().to_string(),
            reason,
        };
        let text = serde_json::to_string(about).map_err(std::io::Error::from)?;
        let metadata = HashMap::from([(KEY.to_owned(), text)]);
        let bytes = safetensors::serialize(tensors, Some(metadata))
            .map_err(|error| unwritable(error.to_string()))?;
        Ok(fs_err::write(path, bytes)?)
    }
}
