//! Arguments of `harness self`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum SelfAction {
    /// Install the program with its plugins, suites, embedded data, completions and man pages
    Install(PrefixArguments),
    /// Remove an installation
    Uninstall(PrefixArguments),
    /// Write an installation as a relocatable archive
    Package {
        /// Folder for harness-VERSION-TARGET.tar.zst
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct PrefixArguments {
    /// Folder for bin, lib and share [default: ~/.local]
    #[arg(long, value_name = "DIR")]
    pub(crate) prefix: Option<PathBuf>,
}
