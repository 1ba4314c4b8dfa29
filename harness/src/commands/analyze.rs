//! `harness analyze`.

use std::fmt::Write;
use std::io;
use std::path::Path;

use harness_engine::analysis;
use harness_figures::{FigureFile, Options, drift_figure};
use harness_render::drift as tower_drift;
use harness_report::ExitCode;
use harness_report::drift::Drift;
use harness_store::write_atomically;

use super::sweep::sweep;
use crate::cli::{Analysis, DriftArguments};
use crate::failure::Failure;
use crate::settings::places;
use crate::{output, table};

pub(crate) fn analyze(what: &Analysis) -> Result<ExitCode, Failure> {
    match what {
        Analysis::Drift(arguments) => drift(arguments),
        Analysis::Sweep(arguments) => sweep(arguments),
    }
}

fn drift(arguments: &DriftArguments) -> Result<ExitCode, Failure> {
    let drift = analysis::drift(
        &places()?,
        &arguments.source,
        &arguments.target,
        &arguments.datasets,
    )?;
    let mut code = ExitCode::Ok;
    for path in &arguments.output {
        if let Err(reason) = write(&drift, path, arguments.look.options()) {
            let message = format!("{}: cannot be written: {reason}", path.display());
            code = code.worst(Failure::new(ExitCode::OutputNotWritten, message).report());
        }
    }
    output::print(&render(&drift))?;
    Ok(code)
}

fn write(drift: &Drift, path: &Path, options: Options) -> Result<(), io::Error> {
    let bytes = match FigureFile::of(path) {
        Some(file) => {
            let figure = drift_figure(drift, options).map_err(io::Error::other)?;
            figure.bytes(file).map_err(io::Error::other)?
        }
        None => (serde_json::to_string_pretty(drift)? + "\n").into_bytes(),
    };
    write_atomically(path, &bytes)
}

fn render(drift: &Drift) -> String {
    let (source, target) = (&drift.source, &drift.target);
    let mut text = format!("{} → {}, text tower\n", source.name, target.name);
    // Writing to a String cannot fail.
    if source.activation != target.activation {
        let _ = writeln!(
            text,
            "{} became {}: part of the change of features",
            source.activation, target.activation
        );
    }
    text.push('\n');
    text.push_str(&table::plain(
        &tower_drift::head(drift),
        tower_drift::rows(drift),
    ));
    match &drift.datasets[..] {
        [] => text.push_str("\nfeatures are not compared without --datasets\n"),
        [only] => {
            let _ = writeln!(
                text,
                "\nfeatures over {} prompts of {}",
                only.prompts, only.name
            );
        }
        several => {
            let prompts: u64 = several.iter().map(|dataset| dataset.prompts).sum();
            let _ = writeln!(
                text,
                "\nfeatures: means over {} data sets with {prompts} prompts; ‖Δh‖/‖h‖ of each:\n",
                several.len()
            );
            text.push_str(&table::plain(
                &tower_drift::dataset_head(drift),
                tower_drift::dataset_rows(drift),
            ));
        }
    }
    let _ = writeln!(
        text,
        "Summary layers={} datasets={}",
        drift.layers.len(),
        drift.datasets.len()
    );
    text
}
