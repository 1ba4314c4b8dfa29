//! Opening and writing data sets in every format.

mod folder;
mod hostile_sheet;
mod sheet;
mod support;
