//! Arguments of `harness list`.

use clap::{Args, ValueEnum};

#[derive(Args)]
pub(crate) struct ListArguments {
    /// What to list
    pub(crate) what: Kind,
    /// Methods: count trained parameters at these dimensions; repeatable
    #[arg(long, value_name = "b16|l14|BACKBONE", default_values = ["b16", "l14"])]
    pub(crate) dims: Vec<String>,
    /// Methods: print all cards as a Markdown document
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    Methods,
    Backbones,
    Datasets,
}
