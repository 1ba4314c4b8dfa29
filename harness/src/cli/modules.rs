//! Arguments of `harness modules`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::CacheArguments;

#[derive(Subcommand)]
pub(crate) enum ModulesAction {
    /// List the modules in the cache
    Ls {
        #[command(flatten)]
        cache: CacheArguments,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what a module is and where it comes from
    Show {
        #[command(flatten)]
        chosen: ModuleArguments,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Copy modules to a folder, with a manifest
    Export {
        #[command(flatten)]
        cache: CacheArguments,
        /// Names from `harness modules ls` [default: all]
        modules: Vec<String>,
        /// Folder to write to
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
    },
    /// Remove modules from the cache
    Rm {
        #[command(flatten)]
        cache: CacheArguments,
        /// Names from `harness modules ls`
        #[arg(required = true)]
        modules: Vec<String>,
    },
}

#[derive(Args)]
pub(crate) struct ModuleArguments {
    #[command(flatten)]
    pub(crate) cache: CacheArguments,
    /// Name from `harness modules ls`, or a module file
    pub(crate) module: String,
}
