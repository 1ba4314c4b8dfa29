//! The text tower on a device.

mod chunk;
mod operation;
mod plan;

pub(crate) use operation::encode;
