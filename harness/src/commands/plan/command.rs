//! Plans a suite and prints what was found.

use harness_engine::distribute::outline;
use harness_engine::run::{CellState, forecast};
use harness_engine::schedule::Silent;
use harness_report::ExitCode;

use super::asked::Asked;
use super::cluster::{self, ClusterCost};
use super::document::PlanDocument;
use super::render::render;
use crate::cli::PlanArguments;
use crate::failure::Failure;
use crate::output;
use crate::progress::Reporter;
use crate::settings::settings;

pub(crate) fn plan(arguments: &PlanArguments) -> Result<ExitCode, Failure> {
    let mut settings = settings(&arguments.suite)?;
    settings.device.elsewhere = arguments.slurm.is_some();
    let there = arguments.cores.map(usize::from);
    let mut reporter = Reporter::new();
    let result = forecast(&settings, arguments.budget, there, &mut reporter);
    reporter.finish();
    let forecast = result?;
    let asked = Asked {
        suite: &arguments.suite,
        here: forecast.processors,
        there,
        budget: arguments.budget,
    };
    let cluster = match arguments.slurm.map(usize::from) {
        Some(processors) => {
            // What the plan warned of needs no second warning.
            let outline = outline(&settings, processors, &mut Silent)?;
            Some((outline, processors))
        }
        None => None,
    };
    match arguments.json {
        true => {
            let cluster =
                cluster.map(|(outline, processors)| ClusterCost::of(&outline, processors));
            output::print_json(&PlanDocument::of(&forecast, &asked, cluster))?;
        }
        false => {
            let style = output::style(arguments.suite.color);
            output::print(&render(&forecast, &asked, &style))?;
            if let Some((outline, processors)) = &cluster {
                output::print(&cluster::render(outline, *processors))?;
            }
        }
    }
    let mut states = forecast.cells.iter().map(|cell| &cell.state);
    Ok(
        match states.any(|state| matches!(state, CellState::Broken { .. })) {
            true => ExitCode::CrashedCell,
            false => ExitCode::Ok,
        },
    )
}
