//! Makes what `harness` brings along: small data sets and small backbones, from seeds.

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
