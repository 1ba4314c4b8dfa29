//! Which device the towers run on.

mod choice;
mod placement;
mod precision;

pub use choice::DeviceChoice;
pub use harness_backbone::Precision;
pub use placement::{Arithmetic, DeviceError, DevicePlacement, WorkerDevice};
pub use precision::ComputePrecision;
