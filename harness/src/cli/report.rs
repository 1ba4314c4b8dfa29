//! Arguments of the commands that read reports.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use harness_report::selection::Term;

use super::values::export_file;
use super::{
    FailOnArguments, FigureArguments, RuleArguments, TableArguments, TrackerArguments, When,
};

#[derive(Args)]
pub(crate) struct GateArguments {
    /// Report (.json) written by `harness run`
    pub(crate) report: PathBuf,
    #[command(flatten)]
    pub(crate) rule: RuleArguments,
    #[command(flatten)]
    pub(crate) fail_on: FailOnArguments,
    /// Select cells by method, dataset, source, target, shots or seed; repeatable
    #[arg(long, value_name = "KEY=VALUE,…")]
    pub(crate) only: Vec<Term>,
    /// Colour the output
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
}

#[derive(Subcommand)]
pub(crate) enum BaselineAction {
    /// Make a report the baseline, or update some of its cells
    Accept {
        /// Report (.json) written by `harness run`
        report: PathBuf,
        /// Baseline report [default: reports/ and the suite's file name]
        #[arg(long, value_name = "FILE.json")]
        baseline: Option<PathBuf>,
        /// Select cells by method, dataset, source, target, shots or seed; repeatable
        #[arg(long, value_name = "KEY=VALUE,…")]
        only: Vec<Term>,
        /// Go on with a report that was edited after it was written
        #[arg(long)]
        allow_edited: bool,
    },
    /// Make the current baseline the pinned reference, which accepting leaves alone
    Pin {
        /// Baseline report (.json), such as reports/quickstart.json
        baseline: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct DiffArguments {
    /// Older report
    pub(crate) old: PathBuf,
    /// Newer report
    pub(crate) new: PathBuf,
    /// Select cells by method, dataset, source, target, shots or seed; repeatable
    #[arg(long, value_name = "KEY=VALUE,…")]
    pub(crate) only: Vec<Term>,
    /// Compare even if inputs differ
    #[arg(long)]
    pub(crate) allow_mismatch: bool,
    /// Go on with a report that was edited after it was written
    #[arg(long)]
    pub(crate) allow_edited: bool,
    /// Colour the output
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
}

#[derive(Args)]
pub(crate) struct ExportArguments {
    /// Report (.json) written by `harness run`
    pub(crate) report: PathBuf,
    /// File to write, format from the file extension: .json, .csv, .summary.csv,
    /// .classes.csv, .md, .tex, .xml (JUnit) or .html; repeatable
    #[arg(short, long, value_name = "FILE", required_unless_present_any = ["figures", "tensorboard", "mlflow", "wandb", "model_card"], value_parser = export_file)]
    pub(crate) output: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) figures: FigureArguments,
    #[command(flatten)]
    pub(crate) tables: TableArguments,
    #[command(flatten)]
    pub(crate) trackers: TrackerArguments,
    /// Show differences from an older report (.html and .md only)
    #[arg(long, value_name = "OLD.json", conflicts_with_all = ["figures", "tensorboard", "mlflow", "wandb", "model_card"])]
    pub(crate) compare: Option<PathBuf>,
    /// Select cells by method, dataset, source, target, shots or seed; repeatable
    #[arg(long, value_name = "KEY=VALUE,…")]
    pub(crate) only: Vec<Term>,
    /// Compare even if inputs differ
    #[arg(long, requires = "compare")]
    pub(crate) allow_mismatch: bool,
    /// Go on with a report that was edited after it was written
    #[arg(long)]
    pub(crate) allow_edited: bool,
}
