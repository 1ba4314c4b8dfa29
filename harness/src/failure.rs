//! What a command ends with when it cannot do its work.

use std::io::{self, Write as _};

use harness_engine::analysis::AnalysisError;
use harness_engine::convert::ConversionError;
use harness_engine::run::RunError;
use harness_engine::suite::SuiteError;
use harness_render::terminal::one_line;
use harness_report::ExitCode;

use crate::absent_inputs::blocks;

/// Characters of a message that are shown; some quote what a plugin said.
const WIDEST: usize = 2000;

/// One message, perhaps a hint, and the exit status.
#[derive(Debug)]
pub(crate) struct Failure {
    code: ExitCode,
    /// Printed as it is, before the message.
    details: Option<String>,
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: ExitCode, message: impl ToString) -> Self {
        Self {
            code,
            details: None,
            message: message.to_string(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Lines to print before the message, as they are.
    pub(crate) fn details(mut self, details: String) -> Self {
        self.details = Some(details).filter(|details| !details.is_empty());
        self
    }

    /// Prints it on stderr and gives the exit status.
    pub(crate) fn report(self) -> ExitCode {
        if let Some(details) = self.details {
            say!("{details}\n");
        }
        say!("error: {}", one_line(&self.message, WIDEST));
        if let Some(hint) = self.hint {
            say!("hint: {}", one_line(&hint, WIDEST));
        }
        if self.code == ExitCode::Outstanding {
            // The last line of every run; where stdout is gone, nobody reads it.
            let _ = writeln!(io::stdout(), "Summary interrupted=1");
        }
        self.code
    }
}

impl From<AnalysisError> for Failure {
    fn from(error: AnalysisError) -> Self {
        Self::new(error.exit_code(), error)
    }
}

impl From<ConversionError> for Failure {
    fn from(error: ConversionError) -> Self {
        Self::new(error.exit_code(), error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let code = error.exit_code();
        match error {
            RunError::Suite(SuiteError::Mistakes(mistakes)) => {
                let count = mistakes.list().len();
                let plural = if count == 1 { "" } else { "s" };
                Self {
                    details: Some(mistakes.to_string()),
                    ..Self::new(
                        code,
                        format!("{count} mistake{plural} in the suite, nothing was run"),
                    )
                }
            }
            RunError::Absent { suite, absent } => {
                let can_fetch = absent.iter().any(|input| input.request.is_some());
                let details = blocks(&absent);
                let suite_shown = suite.display().to_string();
                let failure = Self::new(code, RunError::Absent { suite, absent }).details(details);
                match can_fetch {
                    true => failure.hint(format!(
                        "`harness fetch {suite_shown}` downloads them on a machine with a network; HF_HOME may name a folder that both machines share"
                    )),
                    false => failure,
                }
            }
            RunError::Unmatched { .. } => {
                Self::new(code, error).hint("`harness plan` without --only lists the cells")
            }
            RunError::Store(_) => {
                Self::new(code, error).hint("choose another folder with --store or HARNESS_STORE")
            }
            RunError::Interrupted => {
                Self::new(code, error).hint("run the same command again to continue")
            }
            other => Self::new(code, other),
        }
    }
}
