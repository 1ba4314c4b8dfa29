//! The device that a worker's towers run on.

use candle_core::Device;
use harness_backbone::{Backbone, Precision};

use super::error::JobError;
use crate::device::WorkerDevice;

/// A device that was opened.
#[derive(Clone)]
pub(super) struct OpenDevice {
    device: Device,
    precision: Precision,
}

impl OpenDevice {
    /// The worker's device; none for the CPU.
    pub(super) fn of_worker() -> Result<Option<Self>, JobError> {
        let Some(wanted) =
            WorkerDevice::of_environment().map_err(|error| JobError::Failed(error.to_string()))?
        else {
            return Ok(None);
        };
        let device = wanted.kind.open(wanted.number).map_err(|error| {
            let kind = wanted.kind.name();
            JobError::Failed(format!("cannot open {kind} {}: {error}", wanted.number))
        })?;
        Ok(Some(Self {
            device,
            precision: wanted.precision,
        }))
    }

    /// A backbone whose towers run here.
    pub(super) fn place(&self, backbone: Backbone) -> Backbone {
        backbone.on_device(&self.device, self.precision)
    }
}
