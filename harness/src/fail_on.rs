//! `--fail-on`: an exit status from the recommendations, without a baseline.

use harness_report::analysis::analyse;
use harness_report::{ExitCode, Report};

use crate::cli::FailOnArguments;

/// The exit status, and a line on stderr for each recommendation that was named.
pub(crate) fn fail_on(arguments: &FailOnArguments, report: &Report) -> ExitCode {
    let mut code = ExitCode::Ok;
    if arguments.fail_on.is_empty() {
        return code;
    }
    for one in &analyse(report).assessments {
        if arguments.fail_on.contains(&one.recommendation) {
            say!(
                "--fail-on: {} {} on {}, {} → {}",
                one.recommendation.keyword(),
                one.method,
                one.dataset,
                one.upgrade.source,
                one.upgrade.target
            );
            code = ExitCode::Recommended;
        }
    }
    code
}
