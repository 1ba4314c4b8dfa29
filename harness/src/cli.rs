//! The command line, in one place for parsing, help and completions.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use harness_engine::plan::Term;

/// Does a fine-tuning module survive a model upgrade?
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "\
Exit status:
    0  done                       96  suite, plugin, backbone or data set wrong
    2  command line wrong        103  a cell failed, crashed or took too long
    4  nothing selected          110  a result could not be written
    5  interrupted; run again to continue")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Train, inject and evaluate what a suite asks for, and print the matrices
    Run(RunArguments),
    /// Show what a run would do: cells stored, to run, not injectable and why
    Plan(SuiteArguments),
    /// List what a suite may name
    List { what: Kind },
    /// Look after the folder of finished work and image features
    Cache {
        #[command(subcommand)]
        action: CacheAction,
    },
    /// Print the JSON Schema of a file format
    Schema { of: Format },
    /// Print a completion script
    Completions { shell: Shell },
    /// Do jobs from stdin, started by `run` and `plan`
    #[command(hide = true)]
    Worker,
}

#[derive(Args)]
pub(crate) struct SuiteArguments {
    /// The suite, a YAML file
    pub(crate) suite: PathBuf,
    /// Worker processes at once [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Folder of finished work [default: .harness]
    #[arg(long, value_name = "DIR", env = "HARNESS_STORE")]
    pub(crate) store: Option<PathBuf>,
    /// Do stored work again
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Only cells with this method, dataset, source, target, shots or seed; may be
    /// repeated
    #[arg(long, value_name = "KEY=VALUE,…")]
    pub(crate) only: Vec<Term>,
    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
}

#[derive(Subcommand)]
pub(crate) enum CacheAction {
    /// List what is stored
    Ls(CacheArguments),
    /// Read everything and name what is damaged
    Verify(CacheArguments),
    /// Remove what is damaged or was left by killed runs, and on request what is old
    Gc {
        #[command(flatten)]
        cache: CacheArguments,
        /// Also remove what was written longer ago than this
        #[arg(long, value_name = "DAYS")]
        older_than: Option<u32>,
        /// Say what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Args)]
pub(crate) struct CacheArguments {
    /// Folder of finished work [default: .harness]
    #[arg(long, value_name = "DIR", env = "HARNESS_STORE")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) suite: SuiteArguments,
    /// Write the report to a file; may be repeated
    #[arg(short, long, value_name = "FILE.json", value_parser = report_file)]
    pub(crate) output: Vec<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    Methods,
    Backbones,
    Datasets,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Suite,
    Report,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

fn report_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.extension() == Some(OsStr::new("json")) {
        Ok(path)
    } else {
        Err("reports are written as .json".to_owned())
    }
}
