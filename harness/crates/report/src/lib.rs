//! What a run of the harness found: result types, metrics and statistics, terminal
//! matrices and exit codes. Nothing here knows tensors, plugins or backbones.

pub mod aggregate;
mod bitmap;
mod cell;
mod condition;
mod exit_code;
mod file;
#[cfg(test)]
mod fixture;
mod lint;
pub mod metrics;
mod provenance;
mod report;
mod schema;
pub mod stats;
pub mod terminal;

pub use bitmap::{Bitmap, BitmapError};
pub use cell::{Cell, Conditions, Status, Training, Usage};
pub use condition::{Condition, ConditionError};
pub use exit_code::ExitCode;
pub use file::{ReadError, WriteError};
pub use lint::Finding;
pub use provenance::{Cpu, Git, Provenance};
pub use report::{Backbone, Dataset, Method, Plugin, Report, Suite, Upgrade};
pub use schema::report_schema;
