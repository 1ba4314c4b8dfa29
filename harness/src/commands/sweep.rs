//! `harness analyze sweep`.

use std::fmt::Write;
use std::path::Path;

use harness_figures::{FigureError, FigureFile, Options, sweep_figure};
use harness_report::ExitCode;
use harness_report::sweep::{Sweep, SweepError};
use harness_store::write_atomically;

use crate::cli::SweepArguments;
use crate::failure::Failure;
use crate::reports::read_plain;
use crate::{output, table};

pub(super) fn sweep(arguments: &SweepArguments) -> Result<ExitCode, Failure> {
    let path = &arguments.report;
    let set_up = |error: &dyn std::fmt::Display| Failure::new(ExitCode::SetUp, error);
    let report = read_plain(path, arguments.allow_edited)?;
    let sweep = Sweep::of(&report, arguments.over.as_deref()).map_err(|error| {
        let failure = set_up(&format!("{}: {error}", path.display()));
        match error {
            SweepError::Several(_) => failure.hint("`--over PATH` names it"),
            _ => failure,
        }
    })?;
    output::print(&render(&sweep))?;
    let mut code = ExitCode::Ok;
    for path in &arguments.output {
        if let Err(reason) = write(&sweep, path, arguments.look.options()) {
            let message = format!("{}: cannot be written: {reason}", path.display());
            code = code.worst(Failure::new(ExitCode::OutputNotWritten, message).report());
        }
    }
    Ok(code)
}

fn write(sweep: &Sweep, path: &Path, options: Options) -> Result<(), FigureError> {
    let figure = sweep_figure(sweep, options)?;
    let file = FigureFile::of(path).unwrap_or(FigureFile::Numbers);
    Ok(write_atomically(path, &figure.bytes(file)?)?)
}

fn render(sweep: &Sweep) -> String {
    let mut text = String::new();
    for panel in &sweep.panels {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{} → {}, {} shots, mean over {} data sets, in percent",
            panel.upgrade.source, panel.upgrade.target, panel.shots, panel.datasets
        );
        let head = harness_render::sweep::head(&sweep.key);
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        text.push_str(&table::plain(&head, harness_render::sweep::rows(panel)));
        if let Some(zero_shot) = panel.zero_target {
            let _ = writeln!(text, "zero-shot on the target: {:.2}\n", 100.0 * zero_shot);
        }
    }
    text
}
