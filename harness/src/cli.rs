//! The command line, in one place for parsing, help, completions and man pages.

mod analyze;
mod backbone;
mod cache;
mod check;
mod data;
mod examples;
mod figures;
mod install;
mod list;
mod modules;
mod plugin;
mod predict;
mod report;
mod submit;
mod suite;
mod tables;
mod trackers;
mod values;

pub(crate) use analyze::{Analysis, DriftArguments, SweepArguments};
pub(crate) use backbone::{
    ConvertArguments, EmbedArguments, FetchArguments, InspectArguments, VerifyArguments,
};
pub(crate) use cache::{CacheAction, CacheArguments};
pub(crate) use check::CheckModulesArguments;
pub(crate) use data::{CheckArguments, DataAction, DrawnSplit, FewShotArguments, Sampler};
pub(crate) use figures::{FigureArguments, LookArguments};
pub(crate) use install::SelfAction;
pub(crate) use list::{Kind, ListArguments};
pub(crate) use modules::ModulesAction;
pub(crate) use plugin::{
    CheckPluginArguments, ComparePluginArguments, LockArguments, NewPluginArguments, PluginAction,
    TrialDraw, TrialPlace, TryPluginArguments,
};
pub(crate) use predict::PredictArguments;
pub(crate) use report::{BaselineAction, DiffArguments, ExportArguments, GateArguments};
pub(crate) use submit::{CancelArguments, Part, StatusArguments, SubmitArguments, TaskArguments};
pub(crate) use suite::{
    FailOnArguments, InitArguments, PlanArguments, RuleArguments, RunArguments, SuiteArguments,
};
pub(crate) use tables::TableArguments;
pub(crate) use trackers::TrackerArguments;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use harness_report::ExitCode;

/// Does a fine-tuning module survive a model upgrade?
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = exit_status())]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) logging: Logging,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is told on stderr, for every command.
#[derive(Args)]
pub(crate) struct Logging {
    /// Print no progress, warnings or notes
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print every finished unit
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Write all that --verbose prints to a file, with times
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) log: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a suite and print its results
    #[command(after_help = examples::RUN)]
    Run(RunArguments),
    /// Tell which trained modules to keep, retrain or drop on a new backbone
    #[command(after_help = examples::CHECK_MODULES)]
    Check(CheckModulesArguments),
    /// Classify your own images with a module in a backbone
    #[command(after_help = examples::PREDICT)]
    Predict(PredictArguments),
    /// Show what a run would do and what it would cost
    #[command(after_help = examples::PLAN)]
    Plan(PlanArguments),
    /// Run a suite on a Slurm cluster
    #[command(after_help = examples::SUBMIT)]
    Submit(SubmitArguments),
    /// Show what a suite's jobs have done
    Status(StatusArguments),
    /// Cancel a suite's jobs
    Cancel(CancelArguments),
    /// Write a commented suite to start from
    #[command(after_help = examples::INIT)]
    Init(InitArguments),
    /// Write a report in other formats
    #[command(after_help = examples::EXPORT)]
    Export(ExportArguments),
    /// Check data sets and print few-shot splits
    Data {
        #[command(subcommand)]
        action: DataAction,
    },
    /// Compare a report with a baseline; exit 100 if accuracy was lost
    #[command(after_help = examples::GATE)]
    Gate(GateArguments),
    /// Manage the baseline
    Baseline {
        #[command(subcommand)]
        action: BaselineAction,
    },
    /// Show differences between two reports
    Diff(DiffArguments),
    /// Download the files that a suite needs
    Fetch(FetchArguments),
    /// List methods, backbones or data sets
    List(ListArguments),
    /// Write and inspect plugins
    Plugin {
        #[command(subcommand)]
        action: PluginAction,
    },
    /// Manage the cache
    Cache {
        #[command(subcommand)]
        action: CacheAction,
    },
    /// List, show, export or remove trained modules
    Modules {
        #[command(subcommand)]
        action: ModulesAction,
    },
    /// Compare a backbone with another framework's outputs
    Verify(VerifyArguments),
    /// Write features of texts and images to a file
    Embed(EmbedArguments),
    /// Say what a checkpoint or module file is, without loading it
    Inspect(InspectArguments),
    /// Convert a PyTorch checkpoint to safetensors without executing it
    Convert(ConvertArguments),
    /// Analyse backbones and reports without training
    Analyze {
        #[command(subcommand)]
        what: Analysis,
    },
    /// Print the JSON Schema of a file format
    Schema {
        /// File format
        of: Schema,
    },
    /// Print a completion script
    Completions {
        /// Shell to print it for
        shell: Shell,
    },
    /// Install this program, or package it for other machines
    #[command(name = "self")]
    Own {
        #[command(subcommand)]
        action: SelfAction,
    },
    /// Do jobs from stdin, started by `run` and `plan`
    #[command(hide = true)]
    Worker,
    /// Convert the checkpoint that stdin names, started by `convert` and `inspect`
    #[command(hide = true)]
    ConvertWorker,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Schema {
    Suite,
    Report,
    Plan,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

/// What the process ends with, a line a code.
fn exit_status() -> String {
    let lines = ExitCode::ALL.map(|code| format!("\n{:>5}  {}", code.code(), code.meaning()));
    format!("Exit status:{}", lines.concat())
}
