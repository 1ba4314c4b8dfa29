//! Arguments of `harness cache`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum CacheAction {
    /// List cached files
    Ls(CacheArguments),
    /// Check every file and report damaged ones
    Verify(CacheArguments),
    /// Remove damaged files, leftovers of killed runs and, on request, old files
    Gc {
        #[command(flatten)]
        cache: CacheArguments,
        /// Also remove files older than this
        #[arg(long, value_name = "DAYS")]
        older_than: Option<u32>,
        /// Print what would be removed without removing it
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Args)]
pub(crate) struct CacheArguments {
    /// Cache directory [default: .harness]
    #[arg(long, value_name = "DIR", env = "HARNESS_STORE")]
    pub(crate) store: Option<PathBuf>,
}
