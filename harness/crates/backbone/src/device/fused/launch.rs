//! Starting a kernel on tensors.

use candle_core::cuda_backend::cudarc::driver::{
    CudaSlice, DeviceRepr, LaunchConfig, PushKernelArg,
};
use candle_core::cuda_backend::{CudaDType, CudaStorage, WrapErr};
use candle_core::op::BackpropOp;
use candle_core::{DType, Result, Shape, Storage, Tensor};

/// The kernels, compiled by the build script.
const KERNELS: &str = include_str!(concat!(env!("OUT_DIR"), "/kernels.ptx"));

/// Threads of a block; the kernels' reductions count on it.
const THREADS: u32 = 256;

/// Whether there are kernels for a tensor.
pub(in crate::device) fn is_fused(x: &Tensor) -> bool {
    x.device().is_cuda() && matches!(x.dtype(), DType::F32 | DType::BF16)
}

/// How many blocks a kernel takes.
pub(super) enum Blocks {
    /// One a row.
    Rows(usize),
    /// One thread a value.
    Values(usize),
}

/// A number that a kernel takes after its tensors.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Int(usize),
    Float(f64),
}

/// Runs the kernel `name`: pointers to the inputs, then to new tensors of the shapes in `outputs`,
/// then the numbers.
pub(super) fn launch<const N: usize>(
    name: &str,
    inputs: &[&Tensor],
    outputs: [Shape; N],
    numbers: &[Number],
    blocks: Blocks,
) -> Result<[Tensor; N]> {
    match inputs[0].dtype() {
        DType::F32 => typed::<f32, N>(&format!("{name}_f32"), inputs, outputs, numbers, blocks),
        DType::BF16 => {
            let name = format!("{name}_bf16");
            typed::<half::bf16, N>(&name, inputs, outputs, numbers, blocks)
        }
        other => candle_core::bail!("{name}: no kernel for {other:?}"),
    }
}

fn typed<T: CudaDType + DeviceRepr, const N: usize>(
    name: &str,
    inputs: &[&Tensor],
    outputs: [Shape; N],
    numbers: &[Number],
    blocks: Blocks,
) -> Result<[Tensor; N]> {
    let device = inputs[0].device().as_cuda_device()?.clone();
    let inputs = inputs.iter().map(|input| input.contiguous());
    let inputs = inputs.collect::<Result<Vec<_>>>()?;
    let guards: Vec<_> = inputs.iter().map(Tensor::storage_and_layout).collect();
    let mut views = Vec::with_capacity(guards.len());
    for (storage, layout) in &guards {
        let Storage::Cuda(storage) = &**storage else {
            candle_core::bail!("{name}: expected tensors on the GPU");
        };
        let start = layout.start_offset();
        let end = start + layout.shape().elem_count();
        views.push(storage.as_cuda_slice::<T>()?.slice(start..end));
    }
    let mut results: Vec<CudaSlice<T>> = Vec::with_capacity(N);
    for shape in &outputs {
        // SAFETY: every kernel writes every value of its outputs before anything reads them.
        #[expect(unsafe_code, reason = "zeroing first would cost another kernel")]
        results.push(unsafe { device.alloc::<T>(shape.elem_count())? });
    }
    let counts: Vec<(i32, f32)> = numbers
        .iter()
        .map(|number| match number {
            Number::Int(value) => Ok((
                i32::try_from(*value).map_err(candle_core::Error::wrap)?,
                0.0,
            )),
            Number::Float(value) => Ok((0, *value as f32)),
        })
        .collect::<Result<_>>()?;
    let function = device.get_or_load_custom_func(name, "harness", KERNELS)?;
    let mut builder = function.builder();
    for view in &views {
        builder.arg(view);
    }
    for result in &mut results {
        builder.arg(result);
    }
    for (number, (int, float)) in numbers.iter().zip(&counts) {
        match number {
            Number::Int(_) => builder.arg(int),
            Number::Float(_) => builder.arg(float),
        };
    }
    let grid = match blocks {
        Blocks::Rows(rows) => rows,
        Blocks::Values(values) => values.div_ceil(THREADS as usize),
    };
    let config = LaunchConfig {
        grid_dim: (u32::try_from(grid).map_err(candle_core::Error::wrap)?, 1, 1),
        block_dim: (THREADS, 1, 1),
        shared_mem_bytes: 0,
    };
    if grid > 0 {
        // SAFETY: the arguments are those of the kernel, in its order and of its types; it stays
        // within the tensors, whose sizes the callers in this folder derive from its numbers.
        #[expect(unsafe_code, reason = "a kernel takes pointers")]
        unsafe { builder.launch(config) }.w()?;
    }
    drop(builder);
    drop(views);
    drop(guards);
    let tensors = results.into_iter().zip(outputs).map(|(slice, shape)| {
        let storage = CudaStorage::wrap_cuda_slice(slice, device.clone());
        Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false)
    });
    let tensors: Vec<Tensor> = tensors.collect();
    <[Tensor; N]>::try_from(tensors)
        .map_err(|_| candle_core::Error::Msg("a kernel gave another number of tensors".into()))
}
