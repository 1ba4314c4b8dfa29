//! Reading safetensors files: only the headers, or every tensor as f32.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::tensor::{Dtype, Metadata};
use serde::Deserialize;

use super::catalog::Catalog;
use super::layout::is_buffer;
use super::prefix::Renaming;
use super::rope_buffers::is_rope_table;
use crate::error::{BackboneError, Result};

/// Longest header that is read; the format's own limit.
const MAX_HEADER: u64 = 100_000_000;

/// Weights on disk: one file, or several that an index lists.
#[derive(Debug, Clone)]
pub(crate) struct WeightFiles {
    /// `*.safetensors.index.json`.
    pub(crate) index: Option<PathBuf>,
    pub(crate) files: Vec<PathBuf>,
}

/// The part of an index that is read: the file of every tensor.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl WeightFiles {
    pub(crate) fn single(path: PathBuf) -> Self {
        Self {
            index: None,
            files: vec![path],
        }
    }

    /// The files that an index lists, in byte order of their names.
    pub(crate) fn of_index(path: PathBuf) -> Result<Self> {
        let index = Index::read(&path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let names: BTreeSet<&String> = index.weight_map.values().collect();
        let mut files = Vec::new();
        for name in names {
            let file = folder.join(name);
            let is_plain = Path::new(name)
                .file_name()
                .is_some_and(|n| n == name.as_str());
            if !is_plain || !file.is_file() {
                return Err(BackboneError::File {
                    path,
                    reason: format!("lists {name:?}, which is not in the folder"),
                });
            }
            files.push(file);
        }
        Ok(Self {
            index: Some(path),
            files,
        })
    }

    /// The file that messages name.
    fn origin(&self) -> &Path {
        let file = self.index.as_ref().or(self.files.first());
        file.map_or(Path::new(""), PathBuf::as_path)
    }

    /// Names of the files' tensors as they are stored, with shape and file. They agree with the index.
    fn stored(&self) -> Result<BTreeMap<String, (Vec<usize>, &Path)>> {
        let broken = |reason: String| BackboneError::File {
            path: self.origin().to_path_buf(),
            reason,
        };
        let mut stored = BTreeMap::new();
        for path in &self.files {
            let (_, metadata, _) = open(path)?;
            for (name, info) in metadata.tensors() {
                let entry = (info.shape.clone(), path.as_path());
                if stored.insert(name.clone(), entry).is_some() {
                    return Err(broken(format!("tensor `{name}` is in two files")));
                }
            }
        }
        let Some(index) = &self.index else {
            return Ok(stored);
        };
        let listed = Index::read(index)?.weight_map;
        for (name, file) in &listed {
            let found = stored.get(name).and_then(|(_, path)| path.file_name());
            if found.is_none_or(|found| found != file.as_str()) {
                return Err(broken(format!(
                    "tensor `{name}` is not in {file}, which is listed for it"
                )));
            }
        }
        match stored.keys().find(|name| !listed.contains_key(*name)) {
            Some(name) => Err(broken(format!(
                "does not list tensor `{name}` of the files"
            ))),
            None => Ok(stored),
        }
    }
}

impl Index {
    fn read(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path)?;
        serde_json::from_str(&text).map_err(|e| BackboneError::File {
            path: path.to_path_buf(),
            reason: format!("not an index of safetensors files: {e}"),
        })
    }
}

/// Names and shapes, without what training tools put before names; reads headers only.
pub(crate) fn read_catalog(weights: &WeightFiles) -> Result<Catalog> {
    let stored = weights.stored()?;
    let renaming = Renaming::of(stored.keys().map(String::as_str));
    let mut shapes = BTreeMap::new();
    for (name, (shape, path)) in stored {
        let plain = renaming.apply(&name);
        if shapes.insert(plain, shape).is_some() {
            return Err(BackboneError::File {
                path: path.to_path_buf(),
                reason: format!("tensor `{name}` is there with and without `_orig_mod.`"),
            });
        }
    }
    let catalog = Catalog::new(weights.origin().display().to_string(), shapes);
    Ok(match renaming.prefix.as_str() {
        "" => catalog,
        prefix => catalog.noted(format!(
            "all names of tensors begin with `{prefix}`, which is left out"
        )),
    })
}

/// Every tensor except known buffers, by the names of [`read_catalog`]; f16 and bf16 are converted to
/// f32. Files are mapped, so memory holds only the result and no copy of the file.
pub(crate) fn read_tensors(weights: &WeightFiles) -> Result<HashMap<String, Tensor>> {
    let stored = weights.stored()?;
    let renaming = Renaming::of(stored.keys().map(String::as_str));
    let mut tensors = HashMap::new();
    for path in &weights.files {
        read_file(path, &renaming, &mut tensors)?;
    }
    Ok(tensors)
}

fn read_file(
    path: &Path,
    renaming: &Renaming,
    tensors: &mut HashMap<String, Tensor>,
) -> Result<()> {
    let (file, metadata, data_start) = open(path)?;
    let mapped = map(file.file())?;
    let data = usize::try_from(data_start).ok();
    let data = data.and_then(|start| mapped.get(start..));
    for (name, info) in metadata.tensors() {
        let name = renaming.apply(&name);
        if is_buffer(&name) && !is_rope_table(&name) {
            continue;
        }
        let (start, end) = info.data_offsets;
        // The header agreed with the length a moment ago.
        let bytes = data.and_then(|data| data.get(start..end));
        let bytes = bytes.ok_or_else(|| BackboneError::File {
            path: path.to_path_buf(),
            reason: "was truncated while it was being read".into(),
        })?;
        let Some(values) = widen(info.dtype, bytes) else {
            return Err(BackboneError::Tensor {
                origin: path.display().to_string(),
                name,
                expected: "f32, f16 or bf16".into(),
                found: format!("{:?}", info.dtype),
            });
        };
        let tensor = Tensor::from_vec(values, info.shape.as_slice(), &Device::Cpu)?;
        tensors.insert(name, tensor);
    }
    Ok(())
}

/// Maps a file for reading.
#[expect(unsafe_code, reason = "mapping a file is unsafe in every library")]
fn map(file: &std::fs::File) -> Result<Mmap> {
    // SAFETY: the bytes are only copied out of the map and any value of them is a valid `u8`. A
    // file that is cut while it is mapped ends the process, as in every reader that maps weights;
    // placing weights by renaming, as all tools here do, never cuts one in place.
    Ok(unsafe { Mmap::map(file) }?)
}

/// Opens a file and checks that header and length agree. Returns where the data starts.
fn open(path: &Path) -> Result<(fs_err::File, Metadata, u64)> {
    let broken = |reason: String| BackboneError::File {
        path: path.to_path_buf(),
        reason,
    };
    let mut file = fs_err::File::open(path)?;
    let length = file.metadata()?.len();
    let mut size = [0u8; 8];
    if length < 8 {
        return Err(broken(format!(
            "not a safetensors file: {length} bytes, expected at least 8"
        )));
    }
    file.read_exact(&mut size)?;
    let header = u64::from_le_bytes(size);
    if header > MAX_HEADER || header > length - 8 {
        return Err(broken(format!(
            "not a safetensors file, or truncated: the header claims {header} bytes, the file has {length}"
        )));
    }
    let mut bytes = vec![0u8; header as usize];
    file.read_exact(&mut bytes)?;
    // Deserialising checks that the tensors follow one another without gap or overlap.
    let metadata: Metadata = serde_json::from_slice(&bytes)
        .map_err(|e| broken(format!("bad safetensors header: {e}")))?;
    let expected = 8 + header + metadata.data_len() as u64;
    if expected != length {
        return Err(broken(format!(
            "truncated or damaged: the header describes {expected} bytes, the file has {length}; download \
             it again"
        )));
    }
    Ok((file, metadata, 8 + header))
}

fn widen(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    let halves = || bytes.as_chunks::<2>().0.iter().copied();
    let values = match dtype {
        Dtype::F32 => {
            let (words, _) = bytes.as_chunks::<4>();
            words.iter().map(|word| f32::from_le_bytes(*word)).collect()
        }
        Dtype::BF16 => halves()
            .map(|half| bf16::from_le_bytes(half).to_f32())
            .collect(),
        Dtype::F16 => halves()
            .map(|half| f16::from_le_bytes(half).to_f32())
            .collect(),
        _ => return None,
    };
    Some(values)
}
