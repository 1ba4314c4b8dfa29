//! Reading reports and baselines.

use std::path::{Path, PathBuf};

use harness_render::terminal::one_line;
use harness_report::gate::Judgement;
use harness_report::selection::{CellLabels, Selection};
use harness_report::{ExitCode, ReadError, Report};

use crate::failure::Failure;
use crate::output;

/// The pinned reference beside a baseline: `reports/x.pinned.json` beside `reports/x.json`.
pub(crate) fn pinned_of(baseline: &Path) -> PathBuf {
    baseline.with_extension("pinned.json")
}

/// The baseline that is named, or that of the suite: `reports/` and its file name.
///
/// # Errors
/// The suite's path has no file name.
pub(crate) fn baseline_of(suite: &str, named: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        return Ok(named.clone());
    }
    match Path::new(suite).file_stem() {
        Some(name) => Ok(Path::new("reports").join(name).with_extension("json")),
        None => {
            let message =
                format!("the suite's path {suite:?} has no file name to call a baseline by");
            Err(Failure::new(ExitCode::SetUp, message).hint("name the file with --baseline"))
        }
    }
}

/// A report without what is suspicious in it.
pub(crate) fn read_plain(path: &Path, allow_edited: bool) -> Result<Report, Failure> {
    read(path, allow_edited).map_err(set_up)
}

pub(crate) fn read_report(path: &Path, allow_edited: bool) -> Result<Report, Failure> {
    let report = read_plain(path, allow_edited)?;
    output::warn_of(&report);
    Ok(report)
}

fn set_up(error: ReadError) -> Failure {
    let is_edited = matches!(error, ReadError::Edited { .. });
    let failure = Failure::new(ExitCode::SetUp, error);
    match is_edited {
        true => failure.hint("`--allow-edited` goes on with it"),
        false => failure,
    }
}

fn read(path: &Path, allow_edited: bool) -> Result<Report, ReadError> {
    match Report::read_edited(path)? {
        (report, None) => Ok(report),
        (report, Some(edited)) if allow_edited => {
            say!("warning: {}", one_line(&edited.to_string(), 400));
            Ok(report)
        }
        (_, Some(edited)) => Err(edited),
    }
}

pub(crate) fn read_baseline(path: &Path, allow_edited: bool) -> Result<Report, Failure> {
    read(path, allow_edited).map_err(|error| {
        if matches!(error, ReadError::Edited { .. }) {
            return Failure::new(ExitCode::Incomparable, error).hint(
                "`--allow-edited` goes on with it; `git checkout` brings back the accepted one",
            );
        }
        Failure::new(ExitCode::Incomparable, format!("no baseline: {error}"))
            .hint("`harness baseline accept REPORT.json` makes a report the baseline")
    })
}

/// An error where a value of `--only` selects no cell of the reports.
pub(crate) fn selected<'r>(
    selection: &Selection,
    reports: impl IntoIterator<Item = &'r Report>,
) -> Result<(), Failure> {
    let cells: Vec<CellLabels<'_>> = reports
        .into_iter()
        .flat_map(|report| report.cells.iter().map(CellLabels::from))
        .collect();
    selection
        .check(cells.iter().copied())
        .map_err(|error| Failure::new(ExitCode::NothingSelected, error))
}

/// An error that lists the inputs in which the two differ, unless that is allowed.
pub(crate) fn refuse_mismatches(
    judgement: &Judgement<'_>,
    baseline: &Path,
    is_allowed: bool,
) -> Result<(), Failure> {
    const SHOWN: usize = 10;
    let found = &judgement.mismatches;
    if is_allowed || found.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = found.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = match found.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Err(Failure::new(
        ExitCode::Incomparable,
        format!(
            "{}: not comparable with this report: {}{more}",
            baseline.display(),
            shown.join("; ")
        ),
    )
    .hint(
        "compare anyway with --allow-mismatch, compare a part with --only, or accept the report \
         as the new baseline",
    ))
}
