//! Arguments of the commands that deal with weights.

use std::path::PathBuf;

use clap::Args;
use harness_engine::convert::ModuleMethod;
use serde_json::{Map, Value};

use super::values::{at_least_one, module_method, renaming, safetensors_file, settings, tolerance};

#[derive(Args)]
pub(crate) struct FetchArguments {
    /// Suite (YAML), or the name of a built-in one
    #[arg(required_unless_present_any = ["backbone", "dataset"])]
    pub(crate) suite: Option<PathBuf>,
    /// Fetch this backbone instead of a suite's files; repeatable
    #[arg(long, value_name = "NAME", conflicts_with = "suite")]
    pub(crate) backbone: Vec<String>,
    /// Fetch this data set instead of a suite's files; repeatable
    #[arg(long, value_name = "NAME", conflicts_with = "suite")]
    pub(crate) dataset: Vec<String>,
    /// Folder of data sets
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct VerifyArguments {
    /// Name from `harness list backbones`, or a path
    pub(crate) backbone: String,
    /// Reference outputs for the same weights, as written by write_expected.py
    #[arg(
        long,
        value_name = "FILE.safetensors",
        required_unless_present = "reference"
    )]
    pub(crate) expected: Option<PathBuf>,
    /// Also compare with candle-transformers' CLIP (only in builds with the feature `reference`)
    #[arg(long)]
    pub(crate) reference: bool,
    /// Largest accepted relative error
    #[arg(long, value_name = "NUMBER", default_value = "1e-4", value_parser = tolerance)]
    pub(crate) tolerance: f64,
}

#[derive(Args)]
pub(crate) struct EmbedArguments {
    /// Name from `harness list backbones`, or a path
    pub(crate) backbone: String,
    /// File of texts, one per line
    #[arg(long, value_name = "FILE", required_unless_present = "images")]
    pub(crate) text: Option<PathBuf>,
    /// Folder of images
    #[arg(long, value_name = "DIR")]
    pub(crate) images: Option<PathBuf>,
    /// File to write
    #[arg(short, long, value_name = "FILE.safetensors")]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct ConvertArguments {
    /// Checkpoint: .pt, .pth, .bin or model.pth.tar-N; with --module also a PEFT folder
    pub(crate) input: PathBuf,
    /// File to write
    #[arg(short, long, value_name = "FILE.safetensors", value_parser = safetensors_file)]
    pub(crate) output: PathBuf,
    /// Entry that holds the weights, if it has an unusual name; dots between nested ones
    #[arg(long, value_name = "PATH")]
    pub(crate) key: Option<String>,
    /// Omit this entry; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) leave_out: Vec<String>,
    /// Omit tensors whose names match this pattern with `*` and `?`; repeatable
    #[arg(long, value_name = "PATTERN")]
    pub(crate) drop: Vec<String>,
    /// Take this away from the beginning of every name
    #[arg(long, value_name = "PREFIX")]
    pub(crate) strip_prefix: Option<String>,
    /// Replace the beginning of names; repeatable
    #[arg(long, value_name = "FROM=TO", value_parser = renaming)]
    pub(crate) rename: Vec<(String, String)>,
    /// Convert half precision to single precision
    #[arg(long)]
    pub(crate) widen: bool,
    /// Write a module file of this method, whose public repository saved the checkpoint
    #[arg(long, value_name = "METHOD", value_parser = module_method(), requires_all = ["source", "dataset", "seed"])]
    pub(crate) module: Option<ModuleMethod>,
    /// With --module: backbone it was trained on
    #[arg(long, value_name = "NAME", requires = "module")]
    pub(crate) source: Option<String>,
    /// With --module: data set it was trained on
    #[arg(long, value_name = "NAME", requires = "module")]
    pub(crate) dataset: Option<String>,
    /// With --module: seed it was trained with
    #[arg(long, value_name = "N", requires = "module")]
    pub(crate) seed: Option<u64>,
    /// With --module and a tensor per class: class ids, one per line, in order
    #[arg(long, value_name = "FILE", requires = "module")]
    pub(crate) classes: Option<PathBuf>,
    /// With --module: words that initialised the context; empty if random
    #[arg(
        long,
        value_name = "WORDS",
        requires = "module",
        default_value = "a photo of a"
    )]
    pub(crate) init: String,
    /// With --module: keys of the method's configuration that the file does not contain
    #[arg(long, value_name = "JSON", requires = "module", value_parser = settings, default_value = "{}", hide_default_value = true)]
    pub(crate) config: Map<String, Value>,
    /// With --module tip-adapter or tip-adapter-f: the file with the cache's values
    #[arg(long, value_name = "FILE", requires = "module")]
    pub(crate) values: Option<PathBuf>,
    /// Memory limit
    #[arg(long, value_name = "MIB", default_value = "8192", value_parser = at_least_one())]
    pub(crate) memory: u64,
    /// CPU time limit
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = at_least_one())]
    pub(crate) cpu: u64,
    /// Wall-clock time limit
    #[arg(long, value_name = "SECONDS", default_value = "1200", value_parser = at_least_one())]
    pub(crate) timeout: u64,
}

#[derive(Args)]
pub(crate) struct InspectArguments {
    /// Checkpoint, safetensors or module file, or a PEFT folder
    pub(crate) file: PathBuf,
    /// Entry that holds the weights, if it has an unusual name; dots between nested ones
    #[arg(long, value_name = "PATH")]
    pub(crate) key: Option<String>,
    /// Show every tensor
    #[arg(long)]
    pub(crate) tensors: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
