//! Arguments of `harness plugin`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::{at_least_one, images, mapping, shots, tolerance};
use crate::new_plugin::{PluginName, Sdk};

#[derive(Subcommand)]
pub(crate) enum PluginAction {
    /// Write a new plugin: a crate, or a Python file, that passes its checks and runs as it is
    #[command(after_help = super::examples::PLUGIN_NEW)]
    New(NewPluginArguments),
    /// Check a plugin: what every method must satisfy, on embedded backbones, each check in a
    /// process of its own
    #[command(after_help = super::examples::PLUGIN_CHECK)]
    Check(CheckPluginArguments),
    /// Build a plugin, train one module and move it: accuracies, the loss curve, what it prints
    #[command(after_help = super::examples::PLUGIN_TRY)]
    Try(TryPluginArguments),
    /// Compare a method with another implementation: logits, loss, gradients, three steps
    #[command(after_help = super::examples::PLUGIN_COMPARE)]
    Compare(ComparePluginArguments),
    /// Write the plugins of a suite, and the repositories that it downloads from, into harness.lock
    /// beside it
    #[command(after_help = super::examples::PLUGIN_LOCK)]
    Lock(LockArguments),
    /// Print method cards: insertion points, what moves and what is recomputed, parameters,
    /// recipe, deviations from the published method
    Inspect {
        /// Method, plugin, or path of a shared library or Python file
        what: String,
        /// Count trained parameters at these dimensions; repeatable
        #[arg(long, value_name = "b16|l14|BACKBONE", default_values = ["b16", "l14"])]
        dims: Vec<String>,
    },
}

#[derive(Args)]
pub(crate) struct LockArguments {
    /// Suite (YAML)
    pub(crate) suite: PathBuf,
    /// Folder of data sets, searched before the suite's `data`
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Interpreter of methods in Python [default: the suite's, else VIRTUAL_ENV, else python3]
    #[arg(long, value_name = "PYTHON", env = "HARNESS_PYTHON")]
    pub(crate) python: Option<PathBuf>,
    /// Cache directory [default: .harness]
    #[arg(long, value_name = "DIR", env = "HARNESS_STORE")]
    pub(crate) store: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct NewPluginArguments {
    /// Name of the crate and of its method: lower case, digits and dashes
    #[arg(value_parser = PluginName::parse)]
    pub(crate) name: PluginName,
    /// Folder to write to [default: the name; of a Python file, the current folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// Write a Python file in place of a crate
    #[arg(long, conflicts_with = "sdk")]
    pub(crate) python: bool,
    /// Where the crate gets harness-sdk from: a folder, the URL of a git repository, or a version
    /// of crates.io [default: the checkout of this program, otherwise its version]
    #[arg(long, value_name = "SOURCE", value_parser = Sdk::parse)]
    pub(crate) sdk: Option<Sdk>,
}

#[derive(Args)]
pub(crate) struct CheckPluginArguments {
    /// Shared library or Python file
    pub(crate) plugin: PathBuf,
    /// Check one method [default: all of the plugin]
    #[arg(long, value_name = "ID")]
    pub(crate) method: Option<String>,
    /// Configuration to check, a JSON object; repeatable [default: the method's own, and each
    /// other value of its booleans and enumerations]
    #[arg(long, value_name = "CONFIG", value_parser = mapping)]
    pub(crate) config: Vec<serde_json::Value>,
    #[command(flatten)]
    pub(crate) on: TrialPlace,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a method is tried on, and for how long.
#[derive(Args, Clone)]
pub(crate) struct TrialPlace {
    /// Backbone that modules are trained on
    #[arg(long, value_name = "BACKBONE", default_value = "micro-clip")]
    pub(crate) source: String,
    /// Backbone that they are moved to
    #[arg(long, value_name = "BACKBONE", default_value = "micro-eva-clip")]
    pub(crate) target: String,
    /// Data set that they are trained and tested on
    #[arg(long, value_name = "DATASET", default_value = "digits")]
    pub(crate) dataset: String,
    /// Seconds after which a check is stopped
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = at_least_one())]
    pub(crate) time_limit: u64,
    /// Interpreter of methods in Python: a path, the folder of a virtual environment, or a name
    /// [default: VIRTUAL_ENV, else python3]
    #[arg(long, value_name = "PYTHON", env = "HARNESS_PYTHON")]
    pub(crate) python: Option<PathBuf>,
    /// Cache directory [default: .harness]
    #[arg(long, value_name = "DIR", env = "HARNESS_STORE")]
    pub(crate) store: Option<PathBuf>,
}

/// The images that a method is trained on.
#[derive(Args, Clone)]
pub(crate) struct TrialDraw {
    /// Training images of each class
    #[arg(long, value_name = "K", default_value = "16", value_parser = shots())]
    pub(crate) shots: u32,
    /// Of the draw and of the training
    #[arg(long, value_name = "SEED", default_value = "1")]
    pub(crate) seed: u64,
}

#[derive(Args)]
pub(crate) struct TryPluginArguments {
    /// Folder of a crate, which is built first, a shared library or a Python file
    #[arg(default_value = ".")]
    pub(crate) plugin: PathBuf,
    /// Method [default: the only one of the plugin]
    #[arg(long, value_name = "ID")]
    pub(crate) method: Option<String>,
    /// Configuration, a JSON object
    #[arg(long, value_name = "CONFIG", value_parser = mapping, default_value = "{}")]
    pub(crate) config: serde_json::Value,
    #[command(flatten)]
    pub(crate) draw: TrialDraw,
    #[command(flatten)]
    pub(crate) on: TrialPlace,
    /// Build and try again whenever a file of the crate changes, until interrupted
    #[arg(long)]
    pub(crate) watch: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "watch")]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct ComparePluginArguments {
    /// Folder of a crate, which is built first, a shared library or a Python file
    pub(crate) plugin: PathBuf,
    /// What the other implementation computed from the inputs
    #[arg(long, value_name = "FILE", required_unless_present = "write_inputs")]
    pub(crate) expected: Option<PathBuf>,
    /// Write the inputs that the other implementation starts from
    #[arg(long, value_name = "FILE", conflicts_with = "expected")]
    pub(crate) write_inputs: Option<PathBuf>,
    /// Largest difference, as a fraction of the largest magnitude of a tensor
    #[arg(long, value_name = "FRACTION", default_value = "1e-4", value_parser = tolerance)]
    pub(crate) tolerance: f64,
    /// Method [default: that of the file, or the only one of the plugin]
    #[arg(long, value_name = "ID", conflicts_with = "expected")]
    pub(crate) method: Option<String>,
    /// Configuration, a JSON object
    #[arg(long, value_name = "CONFIG", value_parser = mapping, default_value = "{}", conflicts_with = "expected")]
    pub(crate) config: serde_json::Value,
    /// Images of the batch
    #[arg(long, value_name = "B", default_value = "8", value_parser = images(), conflicts_with = "expected")]
    pub(crate) batch: usize,
    #[command(flatten)]
    pub(crate) draw: TrialDraw,
    #[command(flatten)]
    pub(crate) on: TrialPlace,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
