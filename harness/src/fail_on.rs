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
        let mut methods = report.methods.iter();
        let method = methods.find(|method| method.label == one.method);
        // What is retrained on the way only shows what retraining would bring.
        if method.is_some_and(|method| !method.brings(&one.upgrade.source)) {
            continue;
        }
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
