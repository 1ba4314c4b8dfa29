//! The towers' operations on rows `[R, D]`, each with its pull-back.
//!
//! What [`crate::ops`] and the engines do for the CPU, written in candle's tensor operations: these
//! bodies run on every device of candle's, the CPU among them, where tests compare the two.

pub(super) mod activation;
pub(super) mod attention;
pub(super) mod linear;
pub(super) mod norm;
pub(super) mod rotation;
