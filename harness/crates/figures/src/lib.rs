//! Figures of reports for papers and slides: a picture and, beside it, the numbers that it shows.
//!
//! It knows the result types, averages and verdicts of `harness-report`. It must compute none of
//! them.
//!
//! Everything is drawn as SVG in points, 1/72 inch; PDF and PNG are made of that.

mod convert;
mod draw;
mod drift;
mod error;
mod figure;
#[cfg(test)]
#[path = "../../report/src/fixture.rs"]
#[expect(dead_code, reason = "shared with the tests of other crates")]
mod fixture;
mod options;
mod report;
mod style;
mod sweep;
#[cfg(test)]
mod tests;

pub use drift::drift_figure;
pub use error::FigureError;
pub use figure::{Figure, Written};
pub use options::{FigureFile, Format, Options, Width};
pub use report::{Skipped, figures};
pub use style::Style;
pub use sweep::sweep_figure;
