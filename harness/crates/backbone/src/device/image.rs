//! The image tower on a device.

mod operation;
mod pass;

pub(crate) use operation::encode;
