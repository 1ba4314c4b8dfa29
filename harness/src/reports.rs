//! Reading reports and baselines.

use std::path::{Path, PathBuf};

use harness_report::gate::Judgement;
use harness_report::selection::{CellLabels, Selection};
use harness_report::{ExitCode, Report};

use crate::failure::Failure;
use crate::output;

/// The pinned reference beside a baseline: `reports/x.pinned.json` beside `reports/x.json`.
pub(crate) fn pinned_of(baseline: &Path) -> PathBuf {
    baseline.with_extension("pinned.json")
}

/// The baseline that is named, or that of the suite: `reports/` and its file name.
pub(crate) fn baseline_of(suite: &str, named: Option<&PathBuf>) -> PathBuf {
    let of_suite = || {
        let name = Path::new(suite).file_stem().unwrap_or_default();
        Path::new("reports").join(name).with_extension("json")
    };
    named.cloned().unwrap_or_else(of_suite)
}

pub(crate) fn read_report(path: &Path) -> Result<Report, Failure> {
    let report = Report::read(path).map_err(|error| Failure::new(ExitCode::SetUp, error))?;
    output::warn_of(&report);
    Ok(report)
}

pub(crate) fn read_baseline(path: &Path) -> Result<Report, Failure> {
    Report::read(path).map_err(|error| {
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
