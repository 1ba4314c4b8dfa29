//! `harness plan`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use harness_engine::cost::Estimate;
use harness_engine::registry::{AbsentFile, readable};
use harness_engine::run::{CellState, Forecast, ForecastCell, forecast};
use harness_render::terminal::one_line;
use harness_report::ExitCode;

use super::fetch::blocks;
use crate::cli::SuiteArguments;
use crate::failure::Failure;
use crate::progress::Reporter;
use crate::settings::settings;
use crate::{output, power, table};

pub(crate) fn plan(arguments: &SuiteArguments) -> Result<ExitCode, Failure> {
    let settings = settings(arguments)?;
    let mut reporter = Reporter::new();
    let result = forecast(&settings, &mut reporter);
    reporter.finish();
    output::print(&render(&result?, &arguments.suite))?;
    Ok(ExitCode::Ok)
}

/// Cells that differ in nothing but their seeds share a row.
fn render(forecast: &Forecast, suite: &Path) -> String {
    let mut rows: Vec<(&ForecastCell, Vec<&CellState>)> = Vec::new();
    for cell in &forecast.cells {
        match rows.iter_mut().find(|(first, _)| is_same_row(first, cell)) {
            Some((_, states)) => states.push(&cell.state),
            None => rows.push((cell, vec![&cell.state])),
        }
    }
    let head = ["UPGRADE", "METHOD", "DATA SET", "SHOTS", "CELLS"];
    let body = rows.iter().map(|(cell, states)| {
        vec![
            format!("{} → {}", cell.source, cell.target),
            cell.method.clone(),
            cell.dataset.clone(),
            cell.shots.to_string(),
            describe(states),
        ]
    });
    let mut text = table::plain(&head, body);
    text.push_str(&reasons(forecast));
    text.push_str(&left_out(forecast));
    text.push_str(&power::warning(forecast));
    text.push_str(&missing(forecast, suite));
    let count = |word: &str| {
        let states = forecast.cells.iter().map(|cell| self::word(&cell.state));
        states.filter(|state| *state == word).count()
    };
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\nTo do: {}, {}, {}, {}\n{}\
         Summary cells={} stored={} to-run={} not-injectable={} waiting={} broken={}\n",
        counted(forecast.features, "feature set"),
        counted(forecast.zero_shots, "zero-shot"),
        counted(forecast.trainings, "training"),
        counted(forecast.injections, "injection"),
        forecast.estimate.as_ref().map(cost).unwrap_or_default(),
        forecast.cells.len(),
        count("stored"),
        count("to run"),
        count("not injectable"),
        count("waiting for files"),
        count("broken"),
    );
    text
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// The CPU time of what is to be done, and where the figure comes from.
fn cost(estimate: &Estimate) -> String {
    let minutes = estimate.cpu_hours * 60.0;
    let time = if minutes < 1.0 {
        "Less than a CPU minute".to_owned()
    } else if minutes < 120.0 {
        format!("About {minutes:.0} CPU minutes")
    } else {
        format!("About {:.0} CPU hours", estimate.cpu_hours)
    };
    let throughput = estimate.throughput;
    format!(
        "{time} at {:.0} GFLOP/s (text tower) and {:.0} GFLOP/s (image tower) in one thread, measured now\n",
        throughput.text / 1e9,
        throughput.image / 1e9
    )
}

fn is_same_row(a: &ForecastCell, b: &ForecastCell) -> bool {
    (&a.source, &a.target, &a.method, &a.dataset, a.shots)
        == (&b.source, &b.target, &b.method, &b.dataset, b.shots)
}

fn word(state: &CellState) -> &'static str {
    match state {
        CellState::Stored => "stored",
        CellState::ToRun => "to run",
        CellState::NotInjectable { .. } => "not injectable",
        CellState::Waiting { .. } => "waiting for files",
        CellState::Broken { .. } => "broken",
    }
}

/// Every file that is not on disk, and how it comes there.
fn missing(forecast: &Forecast, suite: &Path) -> String {
    let absent = &forecast.absent;
    if absent.is_empty() {
        return String::new();
    }
    let mut text = format!("\nNot on this machine:\n\n{}\n", blocks(absent));
    let fetchable = absent.iter().filter(|input| input.request.is_some());
    let files: Vec<&AbsentFile> = fetchable.flat_map(|input| &input.files).collect();
    if !files.is_empty() {
        let sizes = files.iter().map(|file| file.size.or(file.about));
        let known: Vec<u64> = sizes.flatten().collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "\n`harness fetch {}` gets {} files: about {}, and {} small ones of unknown size",
            suite.display(),
            files.len(),
            readable(known.iter().sum()),
            files.len() - known.len(),
        );
    }
    text
}

/// "2 stored, 1 to run".
fn describe(states: &[&CellState]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for state in states {
        *counts.entry(word(state)).or_default() += 1;
    }
    let parts = counts.iter().map(|(word, count)| format!("{count} {word}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// What has no counterpart in a target and stays out of it, once a method and target.
fn left_out(forecast: &Forecast) -> String {
    let mut found: BTreeMap<(&str, &str), &[String]> = BTreeMap::new();
    for cell in forecast.cells.iter().filter(|c| !c.left_out.is_empty()) {
        found.insert((&cell.method, &cell.target), &cell.left_out);
    }
    let mut text = String::new();
    for ((method, target), names) in found {
        let names = one_line(&names.join(", "), 400);
        let _ = write!(
            text,
            "\nno counterpart in {target} for what {method} trains:\n    {names}\n"
        );
    }
    text
}

/// Every reason once, with the cells it holds for.
fn reasons(forecast: &Forecast) -> String {
    let mut cells: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for cell in &forecast.cells {
        let (CellState::NotInjectable { reason } | CellState::Broken { message: reason }) =
            &cell.state
        else {
            continue;
        };
        let place = format!("{} into {}, {}", cell.method, cell.target, cell.dataset);
        let places = cells
            .entry(format!("{}: {}", word(&cell.state), one_line(reason, 300)))
            .or_default();
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let mut text = String::new();
    for (reason, places) in cells {
        let _ = write!(text, "\n{reason}\n");
        for place in places {
            let _ = writeln!(text, "    {place}");
        }
    }
    text
}
