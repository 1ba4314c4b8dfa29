//! Makes the embedded data sets and backbones from seeds: draws small pictures, writes
//! captions, learns a tokenizer, and trains small CLIP towers.
//!
//! It knows the formats of backbones (`harness-backbone`) and data sets (`harness-data`) that
//! it writes. It must not know methods, plugins, suites or reports. What it wrote is
//! committed, so users need not run it.

mod allocator;
mod caption;
mod command;
mod dataset;
mod error;
mod folder;
mod probe;
mod stream;
mod tokenizer;
mod train;
mod world;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    if let Err(error) = allocator::keep_freed_memory() {
        eprintln!("warning: memory settings not applied, training will be slow: {error}");
    }
    match command::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(96)
        }
    }
}
