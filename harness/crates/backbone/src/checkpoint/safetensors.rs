//! Reading a safetensors file: header alone, or every tensor as f32.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use candle_core::{Device, Tensor};
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

/// Every tensor but known buffers, f16 and bf16 widened to f32.
pub(crate) fn read_tensors(path: &Path) -> Result<HashMap<String, Tensor>> {
    let (mut file, metadata, data_start) = open(path)?;
    let mut tensors = HashMap::new();
    for (name, info) in metadata.tensors() {
        if is_buffer(&name) && !is_rope_table(&name) {
            continue;
        }
        let (start, end) = info.data_offsets;
        let mut bytes = vec![0u8; end - start];
        file.seek(SeekFrom::Start(data_start + start as u64))?;
        file.read_exact(&mut bytes)?;
        let Some(values) = widen(info.dtype, &bytes) else {
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
            "truncated or damaged: the header describes {expected} bytes, the file has {length}; fetch \
             it again"
        )));
    }
    Ok((file, metadata, 8 + header))
}

fn widen(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    let values = match dtype {
        Dtype::F32 => bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect(),
        Dtype::BF16 => bytes
            .chunks_exact(2)
            .map(|b| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16))
            .collect(),
        Dtype::F16 => bytes
            .chunks_exact(2)
            .map(|b| half_to_single(u16::from_le_bytes([b[0], b[1]])))
            .collect(),
        _ => return None,
    };
    Some(values)
}

/// IEEE 754 binary16 to binary32; exact.
fn half_to_single(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let exponent = u32::from(half >> 10 & 0x1f);
    let fraction = u32::from(half & 0x3ff);
    match exponent {
        // Zero and subnormal: fraction * 2^-24, exact in f32.
        0 => f32::from_bits(sign | (fraction as f32 / 16_777_216.0).to_bits()),
        0x1f => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::half_to_single;

    #[test]
    fn half_floats_widen_exactly() {
        for (half, single) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x3555, 0.333_251_95),
        ] {
            assert_eq!(half_to_single(half), single, "{half:#06x}");
        }
        assert!(half_to_single(0x7c00).is_infinite());
        assert!(half_to_single(0x7e00).is_nan());
        assert!(half_to_single(0x8000).is_sign_negative());
    }
}
