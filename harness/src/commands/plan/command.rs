//! Plans a suite and prints what was found.

use harness_engine::cost::Budget;
use harness_engine::run::{CellState, cores, forecast};
use harness_report::ExitCode;

use super::document::PlanDocument;
use super::render::{Asked, render};
use crate::cli::PlanArguments;
use crate::failure::Failure;
use crate::output;
use crate::progress::Reporter;
use crate::settings::settings;

pub(crate) fn plan(arguments: &PlanArguments) -> Result<ExitCode, Failure> {
    let settings = settings(&arguments.suite)?;
    let here = settings.jobs.unwrap_or_else(cores);
    let asked = Asked {
        suite: &arguments.suite,
        here,
        there: arguments.cores.map(usize::from),
        budget: arguments.budget,
    };
    let budget = arguments.budget.map(|seconds| Budget {
        seconds,
        workers: asked.workers(),
    });
    let mut reporter = Reporter::new();
    let result = forecast(&settings, budget, &mut reporter);
    reporter.finish();
    let forecast = result?;
    let text = match arguments.json {
        true => {
            let document = PlanDocument::of(&forecast, &asked);
            let json = serde_json::to_string_pretty(&document);
            json.map_err(|error| Failure::new(ExitCode::OutputNotWritten, error))? + "\n"
        }
        false => render(&forecast, &asked, &output::style(arguments.suite.color)),
    };
    output::print(&text)?;
    let mut states = forecast.cells.iter().map(|cell| &cell.state);
    Ok(match states.any(|state| matches!(state, CellState::Broken { .. })) {
        true => ExitCode::CrashedCell,
        false => ExitCode::Ok,
    })
}
