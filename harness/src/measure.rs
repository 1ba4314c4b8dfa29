//! Running a suite with progress on stderr.

use harness_engine::run::{Finished, Settings, run};

use crate::failure::Failure;
use crate::output;
use crate::progress::Reporter;

/// Runs a suite, and warns of what its report says. With `shows_logs`, also prints what plugins
/// write.
pub(crate) fn measure<'s>(
    settings: &Settings<'s>,
    shows_logs: bool,
) -> Result<Finished<'s>, Failure> {
    let mut reporter = Reporter::new().with_logs(shows_logs);
    let result = run(settings, &mut reporter);
    reporter.finish();
    let finished = result?;
    output::warn_of(&finished.report);
    Ok(finished)
}
