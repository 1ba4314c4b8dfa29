//! Tensors of a checkpoint into a safetensors file, one at a time.
//!
//! The format: length of the header in eight bytes, the header as JSON, padded with
//! spaces to a multiple of eight, then the tensors one after the other, those of
//! larger numbers first, so that each is aligned.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::archive::Archive;
use super::dtype::Dtype;
use super::error::ConvertError;
use super::pickle::TensorValue;

/// How much larger than the checkpoint the result may be: enough for half-precision
/// numbers that are widened and for a tensor that has several names.
const MOST_GROWTH: u64 = 8;
/// Bytes by which it may be larger anyway.
const SLACK: u64 = 16 << 20;

/// One tensor of the file.
struct Plan<'t> {
    name: &'t str,
    tensor: &'t TensorValue,
    dtype: Dtype,
    /// Numbers in it.
    count: u64,
}

/// Writes `tensors` to `output`, which appears only if all of it went well. Gives its
/// length in bytes.
pub(crate) fn write(
    archive: &mut Archive,
    tensors: &BTreeMap<String, TensorValue>,
    metadata: &BTreeMap<String, String>,
    widen: bool,
    output: &Path,
) -> Result<u64, ConvertError> {
    let mut plans = Vec::new();
    for (name, tensor) in tensors {
        plans.push(plan(archive, name, tensor, widen)?);
    }
    plans.sort_by_key(|plan| (Reverse(plan.dtype.size()), plan.name));
    let header = header(archive, &plans, metadata)?;
    harness_store::replace_file(output, |out| {
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        for plan in &plans {
            let bytes = values(archive, plan)?;
            match plan.tensor.storage.dtype.widen(&bytes).filter(|_| widen) {
                Some(wide) => out.write_all(&wide)?,
                None => out.write_all(&bytes)?,
            }
        }
        Ok(())
    })
}

/// A tensor's numbers in single precision, in row-major order.
pub(crate) fn read_single(
    archive: &mut Archive,
    name: &str,
    tensor: &TensorValue,
) -> Result<Vec<f32>, ConvertError> {
    let plan = plan(archive, name, tensor, true)?;
    let mut bytes = values(archive, &plan)?;
    if let Some(wide) = tensor.storage.dtype.widen(&bytes) {
        bytes = wide;
    } else if plan.dtype != Dtype::F32 {
        let reason = format!(
            "expected F32 or half precision, found {}",
            plan.dtype.name()
        );
        return Err(archive.entry(name, reason));
    }
    let (numbers, _) = bytes.as_chunks::<4>();
    Ok(numbers
        .iter()
        .map(|number| f32::from_le_bytes(*number))
        .collect())
}

fn plan<'t>(
    archive: &Archive,
    name: &'t str,
    tensor: &'t TensorValue,
    widen: bool,
) -> Result<Plan<'t>, ConvertError> {
    let fail = |reason: String| archive.entry(name, reason);
    let found = tensor.storage.dtype;
    let dtype = match found {
        Dtype::F16 | Dtype::Bf16 if widen => Dtype::F32,
        dtype => dtype,
    };
    let count = tensor
        .shape
        .iter()
        .try_fold(1, |count: u64, side| count.checked_mul(*side));
    let Some(count) = count else {
        return Err(fail(format!("the shape {:?} has no size", tensor.shape)));
    };
    let last = tensor
        .shape
        .iter()
        .zip(&tensor.stride)
        .try_fold(tensor.offset, |last: u64, (side, stride)| {
            last.checked_add(side.checked_sub(1)?.checked_mul(*stride)?)
        });
    // An empty tensor needs no storage.
    let is_inside = count == 0 || last.is_some_and(|last| last < tensor.storage.count);
    if !is_inside {
        return Err(fail(format!(
            "shape {:?} with stride {:?} from {} reaches beyond its storage of {} numbers",
            tensor.shape, tensor.stride, tensor.offset, tensor.storage.count
        )));
    }
    Ok(Plan {
        name,
        tensor,
        dtype,
        count,
    })
}

fn header(
    archive: &Archive,
    plans: &[Plan<'_>],
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, ConvertError> {
    let most = archive
        .length()
        .saturating_mul(MOST_GROWTH)
        .saturating_add(SLACK);
    let mut entries = Map::new();
    if !metadata.is_empty() {
        entries.insert("__metadata__".to_owned(), json!(metadata));
    }
    let mut at: u64 = 0;
    for plan in plans {
        let end = plan.count.checked_mul(plan.dtype.size());
        let end = end.and_then(|size| at.checked_add(size));
        let Some(end) = end.filter(|end| *end <= most) else {
            let reason = format!(
                "the tensors would take more than {most} bytes, {MOST_GROWTH} times the checkpoint"
            );
            return Err(archive.entry(plan.name, reason));
        };
        entries.insert(
            plan.name.to_owned(),
            json!({
                "dtype": plan.dtype.name(),
                "shape": plan.tensor.shape,
                "data_offsets": [at, end],
            }),
        );
        at = end;
    }
    let mut bytes = Value::Object(entries).to_string().into_bytes();
    bytes.resize(bytes.len().next_multiple_of(8), b' ');
    Ok(bytes)
}

/// A tensor's numbers in row-major order.
fn values(archive: &mut Archive, plan: &Plan<'_>) -> Result<Vec<u8>, ConvertError> {
    let TensorValue {
        storage,
        offset,
        shape,
        stride,
    } = plan.tensor;
    if plan.count == 0 {
        return Ok(Vec::new());
    }
    let size = storage.dtype.size();
    let Some(length) = storage.count.checked_mul(size) else {
        return Err(archive.entry(plan.name, "its storage has no size".to_owned()));
    };
    let mut bytes = archive.storage(&storage.key, length)?;
    // Both fit: the storage is in memory, and the view is inside it.
    let (size, start) = (size as usize, (offset * size) as usize);
    if is_contiguous(shape, stride) {
        bytes.drain(..start);
        bytes.truncate(plan.count as usize * size);
        return Ok(bytes);
    }
    let mut out = Vec::with_capacity(plan.count as usize * size);
    let mut index = vec![0; shape.len()];
    for _ in 0..plan.count {
        let steps = index
            .iter()
            .zip(stride)
            .map(|(index, stride): (&u64, _)| index * stride);
        let at = start + steps.sum::<u64>() as usize * size;
        out.extend_from_slice(&bytes[at..at + size]);
        for (index, side) in index.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < *side {
                break;
            }
            *index = 0;
        }
    }
    Ok(out)
}

fn is_contiguous(shape: &[u64], stride: &[u64]) -> bool {
    let mut expected = 1;
    shape.iter().zip(stride).rev().all(|(side, stride)| {
        let fits = *side == 1 || *stride == expected;
        expected *= side;
        fits
    })
}
