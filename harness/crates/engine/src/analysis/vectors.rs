//! A file of vectors that another framework wrote.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;

use super::AnalysisError;

/// Every name that such a file may hold.
const NAMES: [&str; 10] = [
    "token_ids",
    "eot_index",
    "text_features",
    "prompt_embeddings",
    "prompt_text_features",
    "cotangent",
    "grad_prompt_embeddings",
    "pixels",
    "image_features",
    "logit_scale",
];

/// The tensors of a file, each under a name that is known.
pub(super) struct Vectors {
    path: PathBuf,
    tensors: HashMap<String, Tensor>,
    metadata: HashMap<String, String>,
}

impl Vectors {
    pub(super) fn read(path: &Path) -> Result<Self, AnalysisError> {
        let input = |reason: String| AnalysisError::Input {
            path: path.to_owned(),
            reason,
        };
        let bytes = std::fs::read(path).map_err(|error| input(error.to_string()))?;
        let (_, header) = SafeTensors::read_metadata(&bytes)
            .map_err(|error| input(format!("not a safetensors file: {error}")))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|error| input(format!("not a safetensors file: {error}")))?;
        let unknown: BTreeSet<&String> = tensors
            .keys()
            .filter(|name| !NAMES.contains(&name.as_str()))
            .collect();
        if let Some(name) = unknown.first() {
            return Err(input(format!(
                "unknown tensor `{name}`; known: {}",
                NAMES.join(", ")
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            tensors,
            metadata,
        })
    }

    pub(super) fn error(&self, reason: impl Into<String>) -> AnalysisError {
        AnalysisError::Input {
            path: self.path.clone(),
            reason: reason.into(),
        }
    }

    /// An entry of the file's metadata.
    pub(super) fn note(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// The texts, a JSON list in the metadata.
    pub(super) fn texts(&self) -> Result<Option<Vec<String>>, AnalysisError> {
        let parse = |text: &str| {
            serde_json::from_str(text).map_err(|error| {
                self.error(format!("metadata `texts` is not a list of texts: {error}"))
            })
        };
        self.note("texts").map(parse).transpose()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// A tensor as f32, of the given shape (0 matches any length).
    pub(super) fn get(&self, name: &str, shape: &[usize]) -> Result<Tensor, AnalysisError> {
        let tensor = self.find(name)?;
        let fits = tensor.rank() == shape.len()
            && tensor
                .dims()
                .iter()
                .zip(shape)
                .all(|(found, wanted)| *found == *wanted || *wanted == 0 && *found > 0);
        if !fits {
            let wanted = shape.iter().map(|n| match n {
                0 => "any".to_owned(),
                n => n.to_string(),
            });
            return Err(self.error(format!(
                "tensor `{name}`: expected [{}], found {:?}; was it computed from this backbone?",
                wanted.collect::<Vec<_>>().join(", "),
                tensor.dims()
            )));
        }
        let tensor = tensor.to_dtype(DType::F32)?;
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(self.error(format!("tensor `{name}` holds {value}"))),
            None => Ok(tensor),
        }
    }

    /// A tensor of indices below `limit`, flat.
    pub(super) fn indices(&self, name: &str, limit: usize) -> Result<Vec<u32>, AnalysisError> {
        let tensor = self.find(name)?;
        let is_integer = matches!(tensor.dtype(), DType::I64 | DType::U32 | DType::U8);
        if !is_integer {
            let found = tensor.dtype();
            return Err(self.error(format!("tensor `{name}`: expected int64, found {found:?}")));
        }
        let values = tensor.to_dtype(DType::I64)?.flatten_all()?;
        let values = values.to_vec1::<i64>()?.into_iter();
        let read = values.map(|value| match u32::try_from(value) {
            Ok(index) if (index as usize) < limit => Ok(index),
            _ => Err(self.error(format!(
                "tensor `{name}`: expected 0 to {}, found {value}",
                limit - 1
            ))),
        });
        read.collect()
    }

    pub(super) fn dims(&self, name: &str) -> Result<&[usize], AnalysisError> {
        Ok(self.find(name)?.dims())
    }

    fn find(&self, name: &str) -> Result<&Tensor, AnalysisError> {
        self.tensors
            .get(name)
            .ok_or_else(|| self.error(format!("tensor `{name}` is missing")))
    }
}
