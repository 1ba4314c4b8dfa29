//! Arguments of `harness data`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::examples;

#[derive(Subcommand)]
pub(crate) enum DataAction {
    /// Count images and report everything missing, unreadable or contradictory
    #[command(after_help = examples::CHECK)]
    Check(CheckArguments),
    /// Print the images of a few-shot split, one path per line, from the annotations alone
    #[command(alias = "picks")]
    FewShot(FewShotArguments),
}

#[derive(Args)]
pub(crate) struct FewShotArguments {
    /// Name (`dtd`) or path of a data set
    pub(crate) name: String,
    /// Images per class
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) shots: u32,
    /// Seed of the split
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
    /// Name (`dtd`) or path of a data set, or a suite to check all of its data sets
    pub(crate) name: String,
    /// Also count the images of every class
    #[arg(long)]
    pub(crate) classes: bool,
    /// Check that images exist without decoding them
    #[arg(long)]
    pub(crate) quick: bool,
    /// Write all problems to a file, one per line
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
