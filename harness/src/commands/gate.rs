//! `harness gate`, and the same at the end of `harness run --gate`.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use harness_render::gate::{Commands, STEP_SUMMARY_LIMIT, annotations, render, step_summary};
use harness_report::gate::{Judgement, judge};
use harness_report::selection::{Selection, Term};
use harness_report::{Cell, ExitCode, GateRule, Report};

use crate::cli::{GateArguments, RuleArguments, When};
use crate::fail_on::fail_on;
use crate::failure::Failure;
use crate::output;
use crate::reports::{
    baseline_of, pinned_of, read_baseline, read_report, refuse_mismatches, selected,
};

pub(crate) fn gate(arguments: &GateArguments) -> Result<ExitCode, Failure> {
    let report = read_report(&arguments.report, arguments.rule.allow_edited)?;
    let named = fail_on(&arguments.fail_on, &report);
    let is_alone = arguments.rule.baseline.is_none()
        && !baseline_of(&report.suite.path, None).is_ok_and(|path| path.exists())
        && !arguments.fail_on.fail_on.is_empty();
    if is_alone {
        say!("no baseline: only the recommendations are judged");
        return Ok(named);
    }
    let compared = Gate {
        rule: &arguments.rule,
        only: &arguments.only,
        color: arguments.color,
        file: Some(&arguments.report),
    }
    .compare(&report)?;
    Ok(named.worst(compared))
}

/// How a report is compared with its baseline.
pub(super) struct Gate<'a> {
    pub(super) rule: &'a RuleArguments,
    pub(super) only: &'a [Term],
    pub(super) color: When,
    /// Where the report was written, if it was.
    pub(super) file: Option<&'a PathBuf>,
}

impl Gate<'_> {
    /// Prints the outcome and returns the exit status.
    pub(super) fn compare(&self, report: &Report) -> Result<ExitCode, Failure> {
        let path = baseline_of(&report.suite.path, self.rule.baseline.as_ref())?;
        let baseline = read_baseline(&path, self.rule.allow_edited)?;
        let asked = report.suite.gate.unwrap_or_default();
        let rule = GateRule {
            margin: self.rule.margin.unwrap_or(asked.margin),
            alpha: self.rule.alpha.unwrap_or(asked.alpha),
        };
        let selection: Selection = self.only.iter().cloned().collect();
        selected(&selection, [report, &baseline])?;
        let wanted = |cell: &Cell| selection.admits(&cell.into());
        let judgement = judge(report, &baseline, rule, wanted);
        refuse_mismatches(&judgement, &path, self.rule.allow_mismatch)?;
        if judgement.comparisons.is_empty() {
            return Err(Failure::new(
                ExitCode::Incomparable,
                format!("{}: has no results for any of these cells", path.display()),
            )
            .hint("`harness baseline accept` makes a report the baseline"));
        }
        let file = self.file.map(|path| path.display().to_string());
        let commands = Commands {
            report: file.as_deref(),
            baseline: &path.display().to_string(),
        };
        let style = output::style(self.color);
        output::print(&render(&judgement, &commands, self.rule.strict, &style))?;
        let code = judgement
            .exit_code(self.rule.strict)
            .worst(self.compare_with_pinned(report, &baseline, &path, rule)?);
        if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
            // On stderr, so that stdout ends with the summary; the runner reads both.
            say!("{}", annotations(&judgement).trim_end());
        }
        Ok(match append_step_summary(&judgement, self.rule.strict) {
            Ok(()) => code,
            Err(failure) => code.worst(failure.report()),
        })
    }

    /// The same cells against the pinned reference, so that losses below the margin do not add
    /// up from one accepted baseline to the next. Without a pinned reference there is nothing to do.
    fn compare_with_pinned(
        &self,
        report: &Report,
        baseline: &Report,
        path: &Path,
        rule: GateRule,
    ) -> Result<ExitCode, Failure> {
        let path = pinned_of(path);
        if !path.exists() {
            return Ok(ExitCode::Ok);
        }
        let pinned = read_baseline(&path, self.rule.allow_edited)?;
        let selection: Selection = self.only.iter().cloned().collect();
        // Cells that are no longer in the accepted baseline were removed on purpose.
        let coordinates = |cell: &Cell| {
            let (upgrade, method) = (cell.upgrade.clone(), cell.method.clone());
            (upgrade, cell.shots, method, cell.dataset.clone(), cell.seed)
        };
        let accepted: BTreeSet<_> = baseline.cells.iter().map(coordinates).collect();
        let wanted =
            |cell: &Cell| selection.admits(&cell.into()) && accepted.contains(&coordinates(cell));
        let judgement = judge(report, &pinned, rule, wanted);
        refuse_mismatches(&judgement, &path, self.rule.allow_mismatch).map_err(|failure| {
            failure.hint(
                "`harness baseline pin BASELINE.json` makes the accepted baseline the reference",
            )
        })?;
        let code = judgement.exit_code(false);
        let shown = path.display().to_string();
        if code == ExitCode::Regression {
            let file = self.file.map(|path| path.display().to_string());
            let commands = Commands {
                report: file.as_deref(),
                baseline: &shown,
            };
            let style = output::style(self.color);
            let text = render(&judgement, &commands, false, &style);
            output::print(&format!("against the pinned reference {shown}: {text}"))?;
            return Ok(code);
        }
        say!("no regression against the pinned reference {shown}");
        Ok(ExitCode::Ok)
    }
}

/// What GitHub Actions shows of the step, where it asks for it.
fn append_step_summary(judgement: &Judgement<'_>, is_strict: bool) -> Result<(), Failure> {
    let asked = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
    let Some(path) = asked.map(PathBuf::from) else {
        return Ok(());
    };
    let used = std::fs::metadata(&path).map_or(0, |found| found.len());
    let used = usize::try_from(used).unwrap_or(usize::MAX);
    let text = step_summary(
        judgement,
        is_strict,
        STEP_SUMMARY_LIMIT.saturating_sub(used),
    );
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        Failure::new(
            ExitCode::OutputNotWritten,
            format!("{}: cannot be written: {error}", path.display()),
        )
    })
}
