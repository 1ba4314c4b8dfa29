//! `harness worker`: the process that loads a plugin.

use harness_report::ExitCode;

use crate::failure::Failure;

pub(crate) fn worker() -> Result<ExitCode, Failure> {
    harness_engine::worker::serve()
        .map_err(|error| Failure::new(ExitCode::SetUp, format!("the worker stopped: {error}")))?;
    Ok(ExitCode::Ok)
}
