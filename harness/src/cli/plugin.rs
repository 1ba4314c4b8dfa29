//! Arguments of `harness plugin`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::{at_least_one, mapping};
use crate::new_plugin::{PluginName, Sdk};

#[derive(Subcommand)]
pub(crate) enum PluginAction {
    /// Write a new plugin: a crate that builds, passes its checks and runs as it is
    #[command(after_help = super::examples::PLUGIN_NEW)]
    New(NewPluginArguments),
    /// Check a plugin: what every method must satisfy, on embedded backbones, each check in a
    /// process of its own
    #[command(after_help = super::examples::PLUGIN_CHECK)]
    Check(CheckPluginArguments),
    /// Print method cards: insertion points, what moves and what is recomputed, parameters,
    /// recipe, deviations from the published method
    Inspect {
        /// Method, plugin, or path of a shared library
        what: String,
        /// Count trained parameters at these dimensions; repeatable
        #[arg(long, value_name = "b16|l14|BACKBONE", default_values = ["b16", "l14"])]
        dims: Vec<String>,
    },
}

#[derive(Args)]
pub(crate) struct NewPluginArguments {
    /// Name of the crate and of its method: lower case, digits and dashes
    #[arg(value_parser = PluginName::parse)]
    pub(crate) name: PluginName,
    /// Folder to write to [default: the name]
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// Where the crate gets harness-sdk from: a folder, the URL of a git repository, or a version
    /// of crates.io [default: the checkout of this program, otherwise its version]
    #[arg(long, value_name = "SOURCE", value_parser = Sdk::parse)]
    pub(crate) sdk: Option<Sdk>,
}

#[derive(Args)]
pub(crate) struct CheckPluginArguments {
    /// Shared library
    pub(crate) plugin: PathBuf,
    /// Check one method [default: all of the plugin]
    #[arg(long, value_name = "ID")]
    pub(crate) method: Option<String>,
    /// Configuration to check, a JSON object; repeatable [default: the method's own, and each
    /// other value of its booleans and enumerations]
    #[arg(long, value_name = "CONFIG", value_parser = mapping)]
    pub(crate) config: Vec<serde_json::Value>,
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
    /// Cache directory [default: .harness]
    #[arg(long, value_name = "DIR", env = "HARNESS_STORE")]
    pub(crate) store: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
