//! The module file: what is carried from a source to a target. Knows parameters, no
//! method.

mod class_axis;
mod file;
mod fit;

pub(crate) use class_axis::select_classes;
pub(crate) use file::{load, save};
pub(crate) use fit::fit;
