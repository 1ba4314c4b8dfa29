//! A suite from its file to its report.

mod assemble;
mod clock;
mod error;
mod execute;
mod forecast;
mod machine;
mod setup;
mod status;
#[cfg(test)]
mod tests;

pub use error::RunError;
pub use forecast::{CellState, Forecast, ForecastCell, forecast};
pub use setup::Settings;

use std::time::Instant;

use harness_report::Report;

use crate::schedule::Observer;

/// Runs what is not stored, and reports on everything.
///
/// # Errors
/// The suite, a plugin, a backbone or a data set is wrong, the selection is empty,
/// or a result could not be stored. What ends badly in a worker is no error here
/// but the status of its cell.
pub fn run(settings: &Settings<'_>, observer: &mut dyn Observer) -> Result<Report, RunError> {
    let clock = (clock::now_rfc3339(), Instant::now());
    let setup = setup::SetUp::new(settings, observer)?;
    let wanted = setup.plan.cells.iter().flat_map(|cell| cell.units());
    let results = execute::execute(
        &setup.plan.graph,
        wanted,
        &execute::Means {
            store: &setup.store,
            pool: &setup.pool,
            is_fresh: settings.fresh,
        },
        observer,
    )?;
    assemble::assemble(settings, &setup, &results, clock)
}
