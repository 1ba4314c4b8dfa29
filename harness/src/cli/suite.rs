//! Arguments of the commands that take a suite.

use std::path::PathBuf;

use clap::Args;
use harness_report::analysis::Recommendation;
use harness_report::selection::Term;

use super::{TaskArguments, When};
use harness_engine::device::{DeviceChoice, Precision};
use harness_live::{DEFAULT_ADDRESS, ServeAddress};

use super::values::{
    alpha, at_least_one, duration, export_file, margin, precision, recommendation,
};

#[derive(Args)]
pub(crate) struct SuiteArguments {
    /// Suite (YAML), or the name of a built-in one
    pub(crate) suite: PathBuf,
    /// Number of worker processes [default: number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Memory for all workers, on a GPU the GPU's; with less, text activations are computed again instead of kept
    /// [default: what is available, at most 2048 for each]
    #[arg(long, value_name = "MIB", value_parser = at_least_one())]
    pub(crate) memory: Option<u64>,
    /// Where the towers run: auto, cpu, cuda, cuda:N or metal; auto takes a GPU if the build and
    /// the machine have one [default: the suite's, else auto]
    #[arg(long, value_name = "DEVICE", env = "HARNESS_DEVICE")]
    pub(crate) device: Option<DeviceChoice>,
    /// Arithmetic of the towers on a GPU [default: the suite's, else f32]
    #[arg(long, value_name = "PRECISION", value_parser = precision())]
    pub(crate) precision: Option<Precision>,
    /// Worker processes that share a GPU [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs_per_gpu: Option<u16>,
    /// Memory that no worker may exceed; one that needs more ends as a crashed cell
    #[arg(long, value_name = "MIB", value_parser = at_least_one())]
    pub(crate) worker_memory: Option<u64>,
    /// Cache directory [default: .harness]
    #[arg(long, value_name = "DIR", env = "HARNESS_STORE")]
    pub(crate) store: Option<PathBuf>,
    /// Folder of data sets, searched before the suite's `data`
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Do not load the plugins that the suite names; a plugin is code that runs with your permissions
    #[arg(long)]
    pub(crate) no_plugins_from_suite: bool,
    /// Load only plugins, and download only from repositories, that harness.lock beside the suite
    /// names; `harness plugin lock` writes it
    #[arg(long)]
    pub(crate) locked: bool,
    /// Interpreter of methods in Python: a path, the folder of a virtual environment, or a name
    /// [default: the suite's, else VIRTUAL_ENV, else python3]
    #[arg(long, value_name = "PYTHON", env = "HARNESS_PYTHON")]
    pub(crate) python: Option<PathBuf>,
    /// Ignore cached results
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Hash image files again instead of using remembered digests
    #[arg(long)]
    pub(crate) rehash: bool,
    /// Select cells by method, dataset, source, target, shots or seed; repeatable
    #[arg(long, value_name = "KEY=VALUE,…")]
    pub(crate) only: Vec<Term>,
    /// Also use a plugin (a shared library or Python file), or a folder of them; without --method, run its methods in place of
    /// the suite's; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) plugin: Vec<PathBuf>,
    /// Run a method in place of the suite's; rows of the suite keep their options; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) method: Vec<String>,
    /// Colour the output
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
}

#[derive(Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) suite: SuiteArguments,
    /// Also show the wall time on a machine with N cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) cores: Option<u16>,
    /// Propose methods and data sets that fit into a time: 90m, 8h, 2d
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) budget: Option<f64>,
    /// Also show the wall time, tasks and storage on a cluster with N CPUs or GPUs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) slurm: Option<u16>,
    /// Print JSON, as `harness schema plan` describes it
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) suite: SuiteArguments,
    /// Write the report to a file, format from the file extension: .json, .csv,
    /// .summary.csv, .classes.csv, .md, .tex, .xml (JUnit) or .html; repeatable
    #[arg(short, long, value_name = "FILE", value_parser = export_file)]
    pub(crate) output: Vec<PathBuf>,
    /// Write all predictions, one JSON line per test image and cell
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) log_samples: Option<PathBuf>,
    /// Write pages of the images whose answers changed to a folder, from index.html on
    #[arg(long, value_name = "DIR")]
    pub(crate) samples: Option<PathBuf>,
    /// Show at most N images of each kind of change in a page of --samples
    #[arg(long, value_name = "N", default_value_t = 12, requires = "samples")]
    pub(crate) samples_per_kind: usize,
    /// Copy the modules trained on the sources to a folder, with a manifest
    #[arg(long, value_name = "DIR")]
    pub(crate) keep_modules: Option<PathBuf>,
    /// Download nothing; files that are missing are listed
    #[arg(long)]
    pub(crate) offline: bool,
    /// Print what plugins write to stdout and stderr; nothing is printed for cached results
    #[arg(long)]
    pub(crate) show_log: bool,
    /// Print every table and explanation
    #[arg(long)]
    pub(crate) details: bool,
    /// Serve a page of the run while it goes on, to this machine alone unless another address is
    /// given [default: 127.0.0.1:8765]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = DEFAULT_ADDRESS, conflicts_with = "stage")]
    pub(crate) serve: Option<ServeAddress>,
    #[command(flatten)]
    pub(crate) task: TaskArguments,
    /// Compare the report with a baseline, as `harness gate` does
    #[arg(long)]
    pub(crate) gate: bool,
    #[command(flatten)]
    pub(crate) rule: RuleArguments,
    #[command(flatten)]
    pub(crate) fail_on: FailOnArguments,
}

#[derive(Args)]
pub(crate) struct FailOnArguments {
    /// Exit 106 if a recommendation is one of these: keep, undecided-keep-meanwhile,
    /// retrain-keep-meanwhile, retrain, drop, undecided
    #[arg(long, value_name = "WORD,…", value_delimiter = ',', value_parser = recommendation)]
    pub(crate) fail_on: Vec<Recommendation>,
}

/// How a report is compared with a baseline.
#[derive(Args)]
pub(crate) struct RuleArguments {
    /// Baseline report [default: reports/ and the suite's file name]
    #[arg(long, value_name = "FILE.json")]
    pub(crate) baseline: Option<PathBuf>,
    /// Acceptable loss of accuracy, in points [default: the suite's, or 1]
    #[arg(long, value_name = "POINTS", value_parser = margin, allow_negative_numbers = true)]
    pub(crate) margin: Option<f64>,
    /// Family-wise error rate (Holm) [default: the suite's, or 0.05]
    #[arg(long, value_name = "ALPHA", value_parser = alpha, allow_negative_numbers = true)]
    pub(crate) alpha: Option<f64>,
    /// Exit 102 if inconclusive
    #[arg(long)]
    pub(crate) strict: bool,
    /// Compare even if inputs differ
    #[arg(long)]
    pub(crate) allow_mismatch: bool,
    /// Go on with a report that was edited after it was written
    #[arg(long)]
    pub(crate) allow_edited: bool,
}

impl RuleArguments {
    /// Whether any of them was given.
    pub(crate) fn is_given(&self) -> bool {
        self.baseline.is_some()
            || self.margin.is_some()
            || self.alpha.is_some()
            || self.strict
            || self.allow_mismatch
    }
}

#[derive(Args)]
pub(crate) struct InitArguments {
    /// Suite to write, or the folder for suite.yaml [default: the current folder]
    pub(crate) path: Option<PathBuf>,
    /// Backbone that modules are trained on: a name or a path [default: micro-clip]
    #[arg(long, value_name = "BACKBONE")]
    pub(crate) source: Option<String>,
    /// Backbone that modules are moved to [default: micro-eva-clip]; repeatable
    #[arg(long, value_name = "BACKBONE")]
    pub(crate) target: Vec<String>,
    /// Data set: a name, a folder or a table of images [default: digits]; repeatable
    #[arg(long, value_name = "DATASET")]
    pub(crate) data: Vec<String>,
    /// Overwrite an existing file
    #[arg(long)]
    pub(crate) force: bool,
}
