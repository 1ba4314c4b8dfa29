//! The command line, in one place for parsing, help and completions.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use harness_engine::plan::Term;
use harness_render::export::{Format, UnknownEnding};
use harness_report::ExitCode;

/// Does a fine-tuning module survive a model upgrade?
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = exit_status())]
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
    /// Write a report in other formats
    Export(ExportArguments),
    /// Check data sets, or print the images of a few-shot split
    Data {
        #[command(subcommand)]
        action: DataAction,
    },
    /// Hold a report against a baseline: 100 where a module lost more than is allowed
    Gate(GateArguments),
    /// Look after the baseline of a gate
    Baseline {
        #[command(subcommand)]
        action: BaselineAction,
    },
    /// Show in what two reports differ
    Diff(DiffArguments),
    /// Get the files that a suite needs: for machines whose compute nodes have no network
    Fetch(FetchArguments),
    /// List what a suite may name
    List(ListArguments),
    /// Look at a plugin
    Plugin {
        #[command(subcommand)]
        action: PluginAction,
    },
    /// Look after the folder of finished work and image features
    Cache {
        #[command(subcommand)]
        action: CacheAction,
    },
    /// Compare a backbone with vectors that another framework wrote
    Verify(VerifyArguments),
    /// Write features of texts and images to a file
    Embed(EmbedArguments),
    /// Rewrite a PyTorch checkpoint as safetensors, running nothing of it
    Convert(ConvertArguments),
    /// Compare backbones without training anything
    Analyze {
        #[command(subcommand)]
        what: Analysis,
    },
    /// Print the JSON Schema of a file format
    Schema { of: Schema },
    /// Print a completion script
    Completions { shell: Shell },
    /// Do jobs from stdin, started by `run` and `plan`
    #[command(hide = true)]
    Worker,
    /// Convert the checkpoint that stdin names, started by `convert`
    #[command(hide = true)]
    ConvertWorker,
}

#[derive(Subcommand)]
pub(crate) enum DataAction {
    /// Print the images of a few-shot split, one path per line, from the annotations alone
    #[command(alias = "picks")]
    FewShot(FewShotArguments),
    /// Count images and list everything that is missing, unreadable or contradictory
    Check(CheckArguments),
}

#[derive(Args)]
pub(crate) struct FewShotArguments {
    /// A name (`dtd`) or a path
    pub(crate) name: String,
    /// Images per class
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) shots: u32,
    #[arg(long, value_name = "N")]
    pub(crate) seed: u64,
    /// Which of the two splits to print
    #[arg(long, default_value = "train")]
    pub(crate) split: DrawnSplit,
    /// Protocol that decides the order of sampling
    #[arg(long, default_value = "coop")]
    pub(crate) sampler: Sampler,
    /// Folder of data sets
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct CheckArguments {
    /// A name (`dtd`), a path, or a suite, whose data sets are checked as it reads them
    pub(crate) name: String,
    /// Also count the images of every class
    #[arg(long)]
    pub(crate) classes: bool,
    /// Do not decode the images, only look for them
    #[arg(long)]
    pub(crate) quick: bool,
    /// Write every problem to a file, one a line
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Folder of data sets
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum DrawnSplit {
    Train,
    Val,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Sampler {
    Coop,
    ClipLora,
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
    /// Folder of data sets, before the suite's `data`
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA")]
    pub(crate) data: Option<PathBuf>,
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
    /// Write the report to a file, in the format of its ending: .json, .csv, .summary.csv,
    /// .classes.csv, .md, .tex, .xml (JUnit) or .html; may be repeated
    #[arg(short, long, value_name = "FILE", value_parser = export_file)]
    pub(crate) output: Vec<PathBuf>,
    /// Write every prediction under all five conditions, a line of JSON for each test
    /// image of each cell
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) log_samples: Option<PathBuf>,
    /// Hold the report against a baseline [default: reports/ and the suite's file name]
    #[arg(long)]
    pub(crate) gate: bool,
    #[command(flatten)]
    pub(crate) rule: RuleArguments,
}

#[derive(Args)]
pub(crate) struct RuleArguments {
    /// The baseline, a report [default: reports/ and the suite's file name]
    #[arg(long, value_name = "FILE.json")]
    pub(crate) baseline: Option<PathBuf>,
    /// Loss of accuracy that is accepted, in points [default: the suite's, or 1]
    #[arg(long, value_name = "POINTS", value_parser = margin)]
    pub(crate) margin: Option<f64>,
    /// Chance of any false claim over all cells [default: the suite's, or 0.05]
    #[arg(long, value_name = "ALPHA", value_parser = alpha)]
    pub(crate) alpha: Option<f64>,
    /// End with 102 where neither a loss nor one below the margin can be shown
    #[arg(long)]
    pub(crate) strict: bool,
    /// Compare although data, backbones or methods are others, and say so
    #[arg(long)]
    pub(crate) allow_mismatch: bool,
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
pub(crate) struct GateArguments {
    /// The report, a .json file that `run` wrote
    pub(crate) report: PathBuf,
    #[command(flatten)]
    pub(crate) rule: RuleArguments,
    /// Only cells with this method, dataset, source, target, shots or seed; may be
    /// repeated
    #[arg(long, value_name = "KEY=VALUE,…")]
    pub(crate) only: Vec<Term>,
    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
}

#[derive(Subcommand)]
pub(crate) enum BaselineAction {
    /// Let a report's cells be the baseline from now on
    Accept {
        /// The report, a .json file that `run` wrote
        report: PathBuf,
        /// The baseline [default: reports/ and the suite's file name]
        #[arg(long, value_name = "FILE.json")]
        baseline: Option<PathBuf>,
        /// Only cells with this method, dataset, source, target, shots or seed; may be
        /// repeated
        #[arg(long, value_name = "KEY=VALUE,…")]
        only: Vec<Term>,
    },
}

#[derive(Args)]
pub(crate) struct DiffArguments {
    /// The older report
    pub(crate) old: PathBuf,
    /// The newer report
    pub(crate) new: PathBuf,
    /// Compare although data, backbones or methods are others, and say so
    #[arg(long)]
    pub(crate) allow_mismatch: bool,
    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
}

#[derive(Args)]
pub(crate) struct ExportArguments {
    /// The report, a .json file that `run` wrote
    pub(crate) report: PathBuf,
    /// Write to a file, in the format of its ending: .json, .csv, .summary.csv,
    /// .classes.csv, .md, .tex, .xml (JUnit) or .html; may be repeated
    #[arg(short, long, value_name = "FILE", required = true, value_parser = export_file)]
    pub(crate) output: Vec<PathBuf>,
    /// Show what differs from an older report; in .html and .md files
    #[arg(long, value_name = "OLD.json")]
    pub(crate) compare: Option<PathBuf>,
    /// Compare although data, backbones or methods are others, and say so
    #[arg(long, requires = "compare")]
    pub(crate) allow_mismatch: bool,
}

#[derive(Args)]
pub(crate) struct FetchArguments {
    /// The suite, a YAML file
    #[arg(required_unless_present_any = ["backbone", "dataset"])]
    pub(crate) suite: Option<PathBuf>,
    /// A backbone by its name instead of a suite; may be repeated
    #[arg(long, value_name = "NAME", conflicts_with = "suite")]
    pub(crate) backbone: Vec<String>,
    /// A data set by its name instead of a suite; may be repeated
    #[arg(long, value_name = "NAME", conflicts_with = "suite")]
    pub(crate) dataset: Vec<String>,
    /// Folder that holds the user's data sets
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct ListArguments {
    pub(crate) what: Kind,
    /// Of methods: count what they train at these dimensions; may be repeated
    #[arg(long, value_name = "b16|l14|BACKBONE", default_values = ["b16", "l14"])]
    pub(crate) dims: Vec<String>,
    /// Of methods: print all cards as a Markdown document
    #[arg(long)]
    pub(crate) markdown: bool,
}

#[derive(Subcommand)]
pub(crate) enum PluginAction {
    /// Print method cards: sites, what is carried and recomputed, parameters, recipe,
    /// deviations from the published method
    Inspect {
        /// A method, a plugin, or the path of a library
        what: String,
        /// Count what it trains at these dimensions; may be repeated
        #[arg(long, value_name = "b16|l14|BACKBONE", default_values = ["b16", "l14"])]
        dims: Vec<String>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    Methods,
    Backbones,
    Datasets,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Schema {
    Suite,
    Report,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

#[derive(Args)]
pub(crate) struct VerifyArguments {
    /// A name of `harness list backbones`, or a path
    pub(crate) backbone: String,
    /// Vectors of the same weights, as write_expected.py writes them
    #[arg(
        long,
        value_name = "FILE.safetensors",
        required_unless_present = "reference"
    )]
    pub(crate) expected: Option<PathBuf>,
    /// Compare with candle-transformers' CLIP too (in builds with the feature `reference`)
    #[arg(long)]
    pub(crate) reference: bool,
    /// Largest relative error that passes
    #[arg(long, value_name = "NUMBER", default_value = "1e-4", value_parser = tolerance)]
    pub(crate) tolerance: f64,
}

#[derive(Args)]
pub(crate) struct EmbedArguments {
    /// A name of `harness list backbones`, or a path
    pub(crate) backbone: String,
    /// Texts, one a line
    #[arg(long, value_name = "FILE", required_unless_present = "images")]
    pub(crate) text: Option<PathBuf>,
    /// Folder of images
    #[arg(long, value_name = "DIR")]
    pub(crate) images: Option<PathBuf>,
    /// Where the features go
    #[arg(short, long, value_name = "FILE.safetensors")]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct ConvertArguments {
    /// The checkpoint: .pt, .pth, .bin or model.pth.tar-N
    pub(crate) input: PathBuf,
    /// Where the tensors go
    #[arg(short, long, value_name = "FILE.safetensors", value_parser = safetensors_file)]
    pub(crate) output: PathBuf,
    /// Entry that holds the weights, where it has none of the usual names
    #[arg(long, value_name = "NAME")]
    pub(crate) key: Option<String>,
    /// An entry that is not to be written; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) leave_out: Vec<String>,
    /// Write half-precision numbers as single ones
    #[arg(long)]
    pub(crate) widen: bool,
    /// The checkpoint is a prompt learner: make the module file of a method
    #[arg(long, value_name = "METHOD", requires_all = ["source", "dataset", "seed"])]
    pub(crate) module: Option<Learner>,
    /// Of a module: the backbone it was trained on
    #[arg(long, value_name = "NAME", requires = "module")]
    pub(crate) source: Option<String>,
    /// Of a module: the data set it was trained on
    #[arg(long, value_name = "NAME", requires = "module")]
    pub(crate) dataset: Option<String>,
    /// Of a module: the seed of its training
    #[arg(long, value_name = "N", requires = "module")]
    pub(crate) seed: Option<u64>,
    /// Of a module with a context for each class: its class ids, one a line, in order
    #[arg(long, value_name = "FILE", requires = "module")]
    pub(crate) classes: Option<PathBuf>,
    /// Of a module: the words its context began with, empty if with random numbers
    #[arg(
        long,
        value_name = "WORDS",
        requires = "module",
        default_value = "a photo of a"
    )]
    pub(crate) init: String,
    /// Memory that the conversion may take
    #[arg(long, value_name = "MIB", default_value = "8192", value_parser = at_least_one())]
    pub(crate) memory: u64,
    /// Processor time that it may take
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = at_least_one())]
    pub(crate) cpu: u64,
    /// Time after which it is ended
    #[arg(long, value_name = "SECONDS", default_value = "1200", value_parser = at_least_one())]
    pub(crate) timeout: u64,
}

/// Methods whose checkpoints become module files.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Learner {
    Coop,
}

#[derive(Subcommand)]
pub(crate) enum Analysis {
    /// How far the text towers lie apart, by layer: parameters, and features of prompts
    Drift(DriftArguments),
    /// Accuracy over the values of one number of a configuration, from a report
    Sweep(SweepArguments),
}

#[derive(Args)]
pub(crate) struct SweepArguments {
    /// The report of a suite whose entries of a method differ in one number
    #[arg(value_name = "REPORT.json")]
    pub(crate) report: PathBuf,
    /// The number's path in the configuration, such as context.length, or "method" for
    /// the entries side by side [default: the only number that varies]
    #[arg(long, value_name = "PATH")]
    pub(crate) over: Option<String>,
    /// Draw it into a file
    #[arg(short, long, value_name = "FILE.svg")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct DriftArguments {
    /// The old backbone: a name of `harness list backbones`, or a path
    pub(crate) source: String,
    /// The new one
    pub(crate) target: String,
    /// Data sets whose class prompts are encoded by both
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) datasets: Vec<String>,
    /// Write the numbers (.json) or a picture (.svg); may be repeated
    #[arg(short, long, value_name = "FILE.{json,svg}", value_parser = drift_file)]
    pub(crate) output: Vec<PathBuf>,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("expected a number from 0 on, such as 1e-4".to_owned()),
    }
}

fn drift_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(OsStr::to_str) {
        Some("json" | "svg") => Ok(path),
        _ => Err("expected a name that ends in .json or .svg".to_owned()),
    }
}

fn at_least_one() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..)
}

fn safetensors_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(OsStr::to_str) {
        Some("safetensors") => Ok(path),
        _ => Err("expected a name that ends in .safetensors".to_owned()),
    }
}

fn margin(text: &str) -> Result<f64, String> {
    in_range(text, 100.0).ok_or_else(|| "expected points above 0, at most 100".to_owned())
}

fn alpha(text: &str) -> Result<f64, String> {
    in_range(text, 0.5).ok_or_else(|| "expected a chance above 0, at most 0.5".to_owned())
}

fn in_range(text: &str, most: f64) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    (value > 0.0 && value <= most).then_some(value)
}

/// What the process ends with, a line a code.
fn exit_status() -> String {
    let lines = ExitCode::ALL.map(|code| format!("\n{:>5}  {}", code.code(), code.meaning()));
    format!("Exit status:{}", lines.concat())
}

fn export_file(text: &str) -> Result<PathBuf, UnknownEnding> {
    let path = PathBuf::from(text);
    Format::of(&path)?;
    Ok(path)
}
