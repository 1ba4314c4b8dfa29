//! What a run of the harness found: result types, metrics and statistics, terminal
//! matrices and exit codes. Nothing here knows tensors, plugins or backbones.

pub mod aggregate;
pub mod analysis;
mod bitmap;
mod cell;
mod condition;
pub mod drift;
mod exit_code;
pub mod export;
mod file;
#[cfg(test)]
mod fixture;
pub mod gate;
mod labels;
mod lint;
pub mod metrics;
mod provenance;
mod replace;
mod report;
mod schema;
pub mod shell;
pub mod stats;
mod suspicion;
pub mod sweep;
pub mod terminal;

pub use bitmap::{Bitmap, BitmapError};
pub use cell::{Cell, Changes, Conditions, Retraining, Status, Training, Usage};
pub use condition::{Condition, ConditionError};
pub use exit_code::ExitCode;
pub use file::{ReadError, WriteError};
pub use labels::{Labels, LabelsError};
pub use lint::Finding;
pub use provenance::{Cpu, Git, Provenance};
pub use replace::{replace_file, write_atomically};
pub use report::{
    Backbone, Dataset, GateRule, Images, Method, MethodRecipe, Plugin, Report, Suite, TextDrift,
    Upgrade,
};
pub use schema::report_schema;
