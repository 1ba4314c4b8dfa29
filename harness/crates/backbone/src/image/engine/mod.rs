//! The image tower where something is trained: a forward pass and a vector-Jacobian product written
//! by hand on flat buffers.
//!
//! Images run through the blocks in groups that are a function of the tower's shape alone, and what
//! groups contribute to gradients is added in order, so that neither threads nor memory change a bit.

mod attention;
mod backward;
mod forward;
mod model;
mod operation;
mod trace;

pub(super) use operation::encode;
