//! What a run found: result types, metrics, statistics, verdicts, the gate's judgement and
//! exit codes.
//!
//! It knows its own file format. It must not know tensors, plugins or backbones, nor how a
//! report is shown: that is `harness-render`.

#[cfg(test)]
extern crate self as harness_report;

pub mod aggregate;
pub mod analysis;
mod bitmap;
mod cell;
mod condition;
pub mod drift;
mod exit_code;
mod file;
#[cfg(test)]
mod fixture;
pub mod gate;
mod labels;
mod lint;
pub mod metrics;
mod provenance;
mod ranges;
mod report;
pub mod samples;
mod schema;
mod seeds;
pub mod selection;
pub mod shell;
pub mod stats;
pub mod sweep;
mod upgrade;
mod warnings;

pub use bitmap::{Bitmap, BitmapError};
pub use cell::{
    Cell, Changes, Conditions, Retraining, Status, TextPath, TextWork, Training, Usage,
};
pub use condition::{Condition, ConditionError};
pub use exit_code::ExitCode;
pub use file::{ReadError, WriteError};
pub use labels::{Labels, LabelsError};
pub use lint::Finding;
pub use provenance::{ComputeDevice, Cpu, Git, Provenance, TaskPlace, TaskProvenance};
pub use report::{
    Backbone, Dataset, GateRule, Images, Method, MethodRecipe, Plugin, Report, Suite, TextDrift,
};
pub use schema::report_schema;
pub use seeds::{Replicates, Seeds, replicate_means, replicates};
pub use upgrade::{Chain, Upgrade};
