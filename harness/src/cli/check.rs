//! Arguments of `harness check`.

use std::path::PathBuf;

use clap::Args;

use super::values::{export_file, margin};
use super::{FailOnArguments, When};

#[derive(Args)]
pub(crate) struct CheckModulesArguments {
    /// Module files, or folders of them
    #[arg(required = true)]
    pub(crate) modules: Vec<PathBuf>,
    /// The new backbone: a name or a path; several are a chain, from the oldest to the newest
    #[arg(long, value_name = "BACKBONE", required = true)]
    pub(crate) target: Vec<String>,
    /// The backbone that the modules were trained on [default: found by its hash]
    #[arg(long, value_name = "BACKBONE")]
    pub(crate) source: Option<String>,
    /// Accept a source other than the backbone that the modules were trained on
    #[arg(long, requires = "source")]
    pub(crate) allow_other_source: bool,
    /// Folder of data sets
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Data set to test on: a name or a path [default: each module's own]
    #[arg(long, value_name = "DATASET")]
    pub(crate) dataset: Option<String>,
    /// Also train each module on the target, with its own recipe, shots and seed
    #[arg(long)]
    pub(crate) retrain: bool,
    /// Accuracy that counts as a difference, in points [default: 1]
    #[arg(long, value_name = "POINTS", value_parser = margin, allow_negative_numbers = true)]
    pub(crate) margin: Option<f64>,
    #[command(flatten)]
    pub(crate) fail_on: FailOnArguments,
    /// Write the report to a file, format from the file extension; repeatable
    #[arg(short, long, value_name = "FILE", value_parser = export_file)]
    pub(crate) output: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Number of worker processes [default: number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Cache directory [default: .harness]
    #[arg(long, value_name = "DIR", env = "HARNESS_STORE")]
    pub(crate) store: Option<PathBuf>,
    /// Hash image files again instead of using remembered digests
    #[arg(long)]
    pub(crate) rehash: bool,
    /// Colour the output
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
}
