//! Measures the pack: zero-shot accuracy everywhere, and how much a linear probe finds beyond it.

mod features;
mod linear;
mod table;
mod zero_shot;

pub(crate) use table::measure;
