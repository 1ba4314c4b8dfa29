//! Reading a safetensors file: only the header, or every tensor as f32.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;

use candle_core::{Device, Tensor};
use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::tensor::{Dtype, Metadata};

use super::catalog::Catalog;
use super::layout::{is_buffer, is_rope_table};
use crate::error::{BackboneError, Result};

/// Longest header that is read; the format's own limit.
const MAX_HEADER: u64 = 100_000_000;

/// Names and shapes of a file; reads its header only.
pub(crate) fn read_catalog(path: &Path) -> Result<Catalog> {
    let (_, metadata, _) = open(path)?;
    let shapes: BTreeMap<String, Vec<usize>> = metadata
        .tensors()
        .into_iter()
        .map(|(name, info)| (name, info.shape.clone()))
        .collect();
    Ok(Catalog::new(path.display().to_string(), shapes))
}

/// Every tensor except known buffers; f16 and bf16 are converted to f32. The file is mapped, so memory
/// holds only the result and no copy of the file.
pub(crate) fn read_tensors(path: &Path) -> Result<HashMap<String, Tensor>> {
    let (file, metadata, data_start) = open(path)?;
    let mapped = map(file.file())?;
    let data = usize::try_from(data_start).ok();
    let data = data.and_then(|start| mapped.get(start..));
    let mut tensors = HashMap::new();
    for (name, info) in metadata.tensors() {
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
    Ok(tensors)
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
