//! A device and the weights that lie on it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use candle_core::{Device, Error, Result, Tensor, TensorId};

use super::found;
use super::precision::Precision;

/// A device that a tower runs on, with its frozen weights: each is uploaded when it is first needed
/// and stays.
#[derive(Debug)]
pub(crate) struct Accelerator {
    device: Device,
    precision: Precision,
    weights: Mutex<HashMap<TensorId, Tensor>>,
    ran_out: AtomicBool,
}

impl Accelerator {
    pub(crate) fn new(device: Device, precision: Precision) -> Self {
        precision.apply();
        #[cfg(feature = "cuda")]
        super::pool::keep_memory(&device);
        Self {
            device,
            precision,
            weights: Mutex::default(),
            ran_out: AtomicBool::new(false),
        }
    }

    /// Notes whether an operation failed for want of the device's memory.
    pub(super) fn watch<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| {
            if !is_out_of_memory(&error.to_string()) {
                return error;
            }
            self.ran_out.store(true, Ordering::Relaxed);
            match found::memory(&self.device) {
                Some((used, all)) => Error::Msg(format!(
                    "{error} ({} of {} MiB were in use)",
                    used >> 20,
                    all >> 20
                )),
                None => error,
            }
        })
    }

    /// Whether an operation failed for want of memory since this was last asked.
    pub(crate) fn take_ran_out(&self) -> bool {
        self.ran_out.swap(false, Ordering::Relaxed)
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    pub(super) fn dtype(&self) -> candle_core::DType {
        self.precision.dtype()
    }

    /// A frozen weight on the device, in its precision. The tower that it belongs to must outlive
    /// this object, so that its id stays its own.
    pub(super) fn weight(&self, host: &Tensor) -> Result<Tensor> {
        let mut weights = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(weight) = weights.get(&host.id()) {
            return Ok(weight.clone());
        }
        let weight = self.upload(host)?;
        weights.insert(host.id(), weight.clone());
        Ok(weight)
    }

    /// A copy of a tensor on the device, in its precision.
    pub(super) fn upload(&self, host: &Tensor) -> Result<Tensor> {
        let host = host.detach().contiguous()?;
        host.to_device(&self.device)?.to_dtype(self.dtype())
    }

    /// A list of row numbers on the device.
    pub(super) fn index(&self, rows: Vec<u32>) -> Result<Tensor> {
        let count = rows.len();
        Tensor::from_vec(rows, count, &self.device)
    }
}

/// candle passes on what the driver says, as text alone: `CUDA_ERROR_OUT_OF_MEMORY`, cuBLAS's
/// `CUBLAS_STATUS_ALLOC_FAILED` or Metal's "Insufficient Memory".
fn is_out_of_memory(message: &str) -> bool {
    let message = message.to_lowercase().replace('_', " ");
    ["out of memory", "alloc failed", "insufficient memory"]
        .iter()
        .any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_ran_out_is_noted_until_asked() {
        let accelerator = Accelerator::new(Device::Cpu, Precision::F32);
        let fail = |text: &str| accelerator.watch::<()>(Err(Error::Msg(text.to_owned())));
        assert!(fail("shape mismatch in matmul").is_err());
        assert!(!accelerator.take_ran_out());
        let text = "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")";
        assert!(fail(text).is_err());
        assert!(accelerator.take_ran_out());
        assert!(!accelerator.take_ran_out());
    }
}
