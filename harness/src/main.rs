//! `harness`: does a fine-tuning module survive a model upgrade?

// stderr may go away at any time; `say!` does not mind.
#![warn(clippy::print_stderr)]

#[macro_use]
mod stderr;

mod absent_inputs;
mod cards;
mod cli;
mod commands;
mod downloads;
mod fail_on;
mod failure;
mod figure_files;
mod install;
mod interrupt;
mod live;
mod local_path;
mod measure;
mod new_plugin;
mod outcome;
mod output;
mod power;
mod progress;
mod report_files;
mod reports;
mod sample_files;
mod settings;
mod slurm;
mod starter_suite;
mod suite_options;
mod suite_path;
mod table;
mod thousands;
mod tracker_files;
mod writable;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, SelfAction};

fn main() -> ExitCode {
    interrupt::ignore_file_size_limit();
    let cli = Cli::parse();
    if let Err(failure) = stderr::set(&cli.logging) {
        return failure.report().into();
    }
    stderr::log(format_args!("{}", settings::command_line().join(" ")));
    let result = match cli.command {
        Command::Run(arguments) => commands::run(&arguments),
        Command::Check(arguments) => commands::check(&arguments),
        Command::Plan(arguments) => commands::plan(&arguments),
        Command::Submit(arguments) => commands::submit(&arguments),
        Command::Status(arguments) => commands::status(&arguments),
        Command::Cancel(arguments) => commands::cancel(&arguments),
        Command::Init(arguments) => commands::init(&arguments),
        Command::Export(arguments) => commands::export(&arguments),
        Command::Fetch(arguments) => commands::fetch(&arguments),
        Command::List(arguments) => commands::list(&arguments),
        Command::Plugin { action } => commands::plugin(&action),
        Command::Data { action } => commands::data(&action),
        Command::Gate(arguments) => commands::gate(&arguments),
        Command::Baseline { action } => commands::baseline(&action),
        Command::Diff(arguments) => commands::diff(&arguments),
        Command::Cache { action } => commands::cache(&action),
        Command::Modules { action } => commands::modules(&action),
        Command::Verify(arguments) => commands::verify(&arguments),
        Command::Embed(arguments) => commands::embed(&arguments),
        Command::Predict(arguments) => commands::predict(&arguments),
        Command::Inspect(arguments) => commands::inspect(&arguments),
        Command::Convert(arguments) => commands::convert(&arguments),
        Command::Analyze { what } => commands::analyze(&what),
        Command::Schema { of } => commands::schema(of),
        Command::Completions { shell } => commands::completions(shell),
        Command::Own { action } => match action {
            SelfAction::Install(arguments) => commands::self_install(arguments.prefix.as_deref()),
            SelfAction::Uninstall(arguments) => {
                commands::self_uninstall(arguments.prefix.as_deref())
            }
            SelfAction::Package { output } => commands::self_package(&output),
        },
        Command::Worker => commands::worker(),
        Command::ConvertWorker => commands::convert_worker(),
    };
    match result {
        Ok(code) => code.into(),
        Err(failure) => failure.report().into(),
    }
}
