//! Arguments of `harness predict`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub(crate) struct PredictArguments {
    /// Module file
    #[arg(long, value_name = "FILE")]
    pub(crate) module: PathBuf,
    /// Backbone to put it into: a name or a path
    #[arg(long, value_name = "BACKBONE")]
    pub(crate) backbone: String,
    /// Image files, or folders of them
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    pub(crate) images: Vec<PathBuf>,
    /// Data set whose classes and templates are used: a name or a path [default: the module's own]
    #[arg(long, value_name = "DATASET")]
    pub(crate) dataset: Option<String>,
    /// Folder of data sets
    #[arg(long, value_name = "DIR", env = "HARNESS_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Labels for each image
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) top: u16,
    /// Write the CSV to a file [default: stdout]
    #[arg(short, long, value_name = "FILE.csv")]
    pub(crate) output: Option<PathBuf>,
    /// Number of worker processes [default: number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
}
