//! A device and the weights that lie on it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use candle_core::{Device, Result, Tensor, TensorId};

use super::precision::Precision;

/// A device that a tower runs on, with its frozen weights: each is uploaded when it is first needed
/// and stays.
#[derive(Debug)]
pub(crate) struct Accelerator {
    device: Device,
    precision: Precision,
    weights: Mutex<HashMap<TensorId, Tensor>>,
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
        }
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
