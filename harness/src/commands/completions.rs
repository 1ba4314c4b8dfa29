//! `harness completions`.

use clap::CommandFactory;
use clap_complete::Shell;
use harness_report::ExitCode;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output;

pub(crate) fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "harness", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Ok)
}
