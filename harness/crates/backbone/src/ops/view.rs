//! Reading candle tensors as plain slices.

use candle_core::{CpuStorage, Error, Layout, Result, Shape, Storage, Tensor};

/// The contiguous f32 values behind a storage and layout.
pub(crate) fn slice<'a>(
    storage: &'a CpuStorage,
    layout: &Layout,
    op: &'static str,
) -> Result<&'a [f32]> {
    let CpuStorage::F32(values) = storage else {
        return Err(Error::Msg(format!("{op}: expected f32 values")));
    };
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&values[start..end]),
        None => Err(Error::Msg(format!("{op}: expected a contiguous tensor"))),
    }
}

/// Calls `f` with the values of a tensor on the CPU, copying first if it is strided.
pub(crate) fn with_values<R>(
    tensor: &Tensor,
    op: &'static str,
    f: impl FnOnce(&[f32]) -> R,
) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(cpu) => Ok(f(slice(cpu, layout, op)?)),
        _ => Err(Error::Msg(format!("{op}: expected a tensor on the CPU"))),
    }
}

/// A new untracked tensor of the given shape.
pub(crate) fn tensor(values: Vec<f32>, shape: &Shape) -> Result<Tensor> {
    Tensor::from_vec(values, shape.clone(), &candle_core::Device::Cpu)
}

/// Sum with eight running totals: vectorises, and its order depends on the length alone.
pub(crate) fn sum(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let mut totals = [0f32; 8];
    for (i, v) in values.enumerate() {
        totals[i % 8] += v;
    }
    totals.iter().sum()
}
