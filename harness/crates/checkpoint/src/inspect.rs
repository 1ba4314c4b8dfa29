//! What a file is, from its header alone.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use harness_abi::wire::ModuleHeader;
use safetensors::tensor::Metadata;
use serde::{Deserialize, Serialize};

use crate::checkpoint::open;
use crate::error::ConvertError;
use crate::modules::{ModuleMethod, is_safetensors};
use crate::options::Options;

/// Longest header of a safetensors file that is read, as in the format's own library.
const LONGEST_HEADER: u64 = 100_000_000;

/// What a checkpoint or a module file holds. No tensor is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspected {
    pub form: Form,
    pub tensors: BTreeMap<String, TensorFacts>,
    /// Methods whose modules have such tensors.
    pub methods: Vec<ModuleMethod>,
    /// The header of a module file.
    pub module: Option<ModuleHeader>,
    /// What the file says of its origin: epoch, metadata.
    pub provenance: BTreeMap<String, String>,
    /// Other entries of the checkpoint.
    pub left_out: Vec<String>,
    /// How names differ from the stored ones, a line each.
    pub notes: Vec<String>,
}

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    Safetensors,
    PyTorch,
}

/// Shape and type of a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorFacts {
    pub shape: Vec<u64>,
    /// Name of the number type as in safetensors.
    pub dtype: String,
}

/// Reads the header of a safetensors file, or the pickle of a PyTorch checkpoint without
/// running it; call it in a process with limits.
///
/// # Errors
/// The file is neither, or is damaged.
pub fn inspect(path: &Path, options: &Options) -> Result<Inspected, ConvertError> {
    let mut inspected = match is_safetensors(path) {
        true => safetensors(path)?,
        false => checkpoint(path, options)?,
    };
    let named = inspected.tensors.iter();
    let named = named.map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice()));
    inspected.methods = ModuleMethod::recognise(named);
    Ok(inspected)
}

fn checkpoint(path: &Path, options: &Options) -> Result<Inspected, ConvertError> {
    let (_, state) = open(path, options)?;
    let tensors = state.tensors.into_iter().map(|(name, tensor)| {
        let facts = TensorFacts {
            shape: tensor.shape,
            dtype: tensor.storage.dtype.name().to_owned(),
        };
        (name, facts)
    });
    let settings = state.settings.iter();
    let provenance: BTreeMap<String, String> = settings
        .map(|(key, value)| (key.clone(), value.to_string()))
        .collect();
    let left_out = state.left_out.into_iter();
    let left_out = left_out.filter(|name| !provenance.contains_key(name));
    let left_out: Vec<String> = left_out.collect();
    Ok(Inspected {
        form: Form::PyTorch,
        tensors: tensors.collect(),
        methods: Vec::new(),
        module: None,
        provenance,
        left_out,
        notes: state.notes,
    })
}

fn safetensors(path: &Path) -> Result<Inspected, ConvertError> {
    let fail = |reason: String| ConvertError::Archive {
        path: path.to_owned(),
        reason,
    };
    let mut file = fs_err::File::open(path)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        return Err(fail(format!(
            "a header of {length} bytes, more than {LONGEST_HEADER}"
        )));
    }
    let mut header = Vec::new();
    let whole = file.metadata()?.len();
    file.take(length).read_to_end(&mut header)?;
    let head: Metadata = serde_json::from_slice(&header)
        .map_err(|error| fail(format!("not a safetensors file: {error}")))?;
    let expected = length + 8 + head.data_len() as u64;
    if whole != expected {
        return Err(fail(format!(
            "truncated or damaged: the header describes {expected} bytes, the file has {whole}"
        )));
    }
    let tensors = head.tensors().into_iter().map(|(name, info)| {
        let facts = TensorFacts {
            shape: info.shape.iter().map(|side| *side as u64).collect(),
            dtype: format!("{:?}", info.dtype),
        };
        (name, facts)
    });
    let mut provenance = BTreeMap::new();
    let mut module = None;
    for (key, value) in head.metadata().iter().flatten() {
        match key == ModuleHeader::KEY {
            true => {
                let header: ModuleHeader = serde_json::from_str(value)
                    .map_err(|error| fail(format!("header entry `{key}`: {error}")))?;
                header
                    .check()
                    .map_err(|error| fail(format!("header entry `{key}`: {error}")))?;
                module = Some(header);
            }
            false => {
                provenance.insert(key.clone(), value.clone());
            }
        }
    }
    Ok(Inspected {
        form: Form::Safetensors,
        tensors: tensors.collect(),
        methods: Vec::new(),
        module,
        provenance,
        left_out: Vec::new(),
        notes: Vec::new(),
    })
}
