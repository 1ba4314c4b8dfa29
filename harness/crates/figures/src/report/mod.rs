//! The figures of a report.

mod all;
mod context;
mod curves;
mod depth;
mod heat;
mod methods;
mod ranks;
mod scatter;

pub use all::{Skipped, figures};
