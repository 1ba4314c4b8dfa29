//! Arguments of `harness analyze`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::LookArguments;
use super::values::{drift_file, figure_file};

#[derive(Subcommand)]
pub(crate) enum Analysis {
    /// Compare two text towers layer by layer: parameters and prompt features
    Drift(DriftArguments),
    /// Show accuracy over the values of one configuration option, from a report
    Sweep(SweepArguments),
}

#[derive(Args)]
pub(crate) struct SweepArguments {
    /// Report of a suite whose entries of a method differ in one number
    #[arg(value_name = "REPORT.json")]
    pub(crate) report: PathBuf,
    /// Option to vary, such as context.length, or "method" to compare entries side by
    /// side [default: the only number that varies]
    #[arg(long, value_name = "PATH")]
    pub(crate) over: Option<String>,
    /// Write a figure (.svg, .pdf, .png) or its numbers (.csv); repeatable
    #[arg(short, long, value_name = "FILE", value_parser = figure_file)]
    pub(crate) output: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) look: LookArguments,
    /// Go on with a report that was edited after it was written
    #[arg(long)]
    pub(crate) allow_edited: bool,
}

#[derive(Args)]
pub(crate) struct DriftArguments {
    /// Old backbone: a name from `harness list backbones`, or a path
    pub(crate) source: String,
    /// New backbone
    pub(crate) target: String,
    /// Data sets whose class prompts are encoded by both
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) datasets: Vec<String>,
    /// Write everything (.json), a figure (.svg, .pdf, .png) or its numbers (.csv); repeatable
    #[arg(short, long, value_name = "FILE", value_parser = drift_file)]
    pub(crate) output: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) look: LookArguments,
}
