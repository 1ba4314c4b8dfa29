//! From a report to a file.

use std::path::{Path, PathBuf};

use crate::export::format::{Format, UnknownEnding};
use crate::export::latex::TableOptions;
use crate::export::{csv, html, junit, latex, markdown};
use harness_report::Report;
use harness_report::WriteError;
use harness_store::write_atomically;

/// Why a file was not written. The one that was there before is intact.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    #[error("{path}: {source}")]
    Ending {
        path: PathBuf,
        source: UnknownEnding,
    },
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Only pages show two reports.
    #[error("{path}: comparisons can be written as .html and .md only")]
    NoComparison { path: PathBuf },
    /// A writer's library refused what it was given.
    #[error("{path}: cannot be written in this format: {source}")]
    Format { path: PathBuf, source: FormatError },
}

/// What a writer's library refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    #[error(transparent)]
    Csv(#[from] ::csv::Error),
    #[error(transparent)]
    Junit(#[from] quick_junit::SerializeError),
    // The alternate form names the template and the line.
    #[error("{0:#}")]
    Html(#[from] minijinja::Error),
}

/// Writes `report` to `path` in the format that its ending names; `tables` says what those for a
/// paper show.
///
/// # Errors
/// See [`ExportError`]; each names the file.
pub fn export(report: &Report, tables: &TableOptions, path: &Path) -> Result<(), ExportError> {
    write(report, None, tables, path)
}

/// The page of `report`, as `.html` holds it.
///
/// # Errors
/// A template does not render.
pub fn page(report: &Report) -> Result<String, FormatError> {
    Ok(html::html(report, None)?)
}

/// Writes `report` to `path`, a page, with what differs from an `old` one.
///
/// # Errors
/// See [`ExportError`]; each names the file.
pub fn export_comparison(report: &Report, old: &Report, path: &Path) -> Result<(), ExportError> {
    write(report, Some(old), &TableOptions::default(), path)
}

fn write(
    report: &Report,
    old: Option<&Report>,
    tables: &TableOptions,
    path: &Path,
) -> Result<(), ExportError> {
    let format = Format::of(path).map_err(|source| ExportError::Ending {
        path: path.into(),
        source,
    })?;
    if old.is_some() && !matches!(format, Format::Html | Format::Markdown) {
        return Err(ExportError::NoComparison { path: path.into() });
    }
    report.check_finite(path)?;
    let text = match format {
        Format::Json => return Ok(report.write(path)?),
        Format::Csv => csv::cells(report).map_err(FormatError::from),
        Format::CsvSummary => csv::summary(report).map_err(FormatError::from),
        Format::CsvClasses => csv::classes(report).map_err(FormatError::from),
        Format::Markdown => Ok(markdown::markdown(report, old)),
        Format::Latex => Ok(latex::latex(report, tables)),
        Format::Junit => junit::junit(report).map_err(FormatError::from),
        Format::Html => html::html(report, old).map_err(FormatError::from),
    };
    let text = text.map_err(|source| ExportError::Format {
        path: path.into(),
        source,
    })?;
    write_atomically(path, text.as_bytes()).map_err(|source| {
        ExportError::Write(WriteError::Io {
            path: path.into(),
            source,
        })
    })
}
