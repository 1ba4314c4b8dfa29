//! Runs a suite: from its file to its report.

mod absence;
mod assemble;
mod clock;
mod discovered;
mod drift;
mod error;
mod execute;
mod forecast;
mod live;
mod machine;
mod modules;
mod other_methods;
mod placement_error;
mod prompts;
mod reading;
mod results;
mod samples;
mod score;
mod setup;
mod shots;
mod status;
mod suite_run;
#[cfg(test)]
mod tests;

pub(crate) use assemble::assemble;
pub(crate) use clock::now_rfc3339;
pub(crate) use discovered::Discovered;
pub use error::RunError;
pub(crate) use execute::{ExecContext, backlog, execute_alone, is_stored, stored_result};
pub use forecast::{CellState, Forecast, ForecastCell, Proposal, forecast};
pub use live::Watcher;
pub use machine::{cores, cpu, free_bytes};
pub use other_methods::OtherMethods;
pub use placement_error::PlacementError;
pub(crate) use prompts::cut_by_clip;
pub(crate) use results::Results;
pub use samples::{TestImages, Thumbnail};
pub(crate) use setup::SetUp;
pub use setup::{DeviceSettings, Settings};
pub use suite_run::{Finished, run, run_watched};
