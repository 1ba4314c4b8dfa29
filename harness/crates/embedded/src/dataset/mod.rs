//! The embedded data sets: what each asks, and how its pictures are drawn.

mod definition;
mod digits;
mod render;

pub(crate) use definition::DEFINITIONS;
pub(crate) use digits::write_digits;
pub(crate) use render::write_drawn;
