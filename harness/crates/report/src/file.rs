//! Reading and writing report files.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::lint::Finding;
use crate::report::Report;

/// Why a report could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{path}: cannot be read: {source}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Not JSON, or not of the shape of a report.
    #[error("{path}: not a report of format {expected}: {source}")]
    Malformed {
        path: PathBuf,
        expected: &'static str,
        source: serde_json::Error,
    },
    /// JSON, but of another kind.
    #[error("{path}: expected a file of format {expected}, found {found:?}")]
    WrongFormat {
        path: PathBuf,
        expected: &'static str,
        found: String,
    },
    /// Written by a later version.
    #[error(
        "{path}: written in format {found}, this harness reads up to {expected}: \
         use the harness version that wrote it, or a later one"
    )]
    NewerFormat {
        path: PathBuf,
        expected: &'static str,
        found: String,
    },
    /// Numbers in the file contradict each other.
    #[error("{path}: contradicts itself: {}", list(.findings))]
    Inconsistent {
        path: PathBuf,
        findings: Vec<Finding>,
    },
}

/// Why a report could not be written. The file that was there before is intact.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{path}: cannot be written: {source}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: the report cannot be put into JSON: {source}")]
    Json {
        path: PathBuf,
        source: serde_json::Error,
    },
    /// JSON has no NaN and no infinity: the file would not read back.
    #[error("{path}: not written: {}", list(.findings))]
    NotFinite {
        path: PathBuf,
        findings: Vec<Finding>,
    },
}

#[derive(Deserialize)]
struct Header {
    schema: String,
}

impl Report {
    /// Reads a report and checks that it does not contradict itself
    /// ([`Report::lint`]). No derived number is taken from the file: H, retention
    /// and all others are computed anew from the per-image results.
    ///
    /// # Errors
    /// See [`ReadError`]; each names the file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let text = std::fs::read(path).map_err(|source| ReadError::Io {
            path: path.into(),
            source,
        })?;
        let malformed = |source| ReadError::Malformed {
            path: path.into(),
            expected: Self::FORMAT,
            source,
        };
        // The format first: a newer file differs in ways the types cannot name.
        let header: Header = serde_json::from_slice(&text).map_err(malformed)?;
        check_format(path, header.schema)?;
        let report: Self = serde_json::from_slice(&text).map_err(malformed)?;
        let findings = report.lint();
        if findings.is_empty() {
            Ok(report)
        } else {
            Err(ReadError::Inconsistent {
                path: path.into(),
                findings,
            })
        }
    }

    /// Writes the report as indented JSON: beside the destination first, then in
    /// its place in one step, so that a reader never sees half a file.
    ///
    /// # Errors
    /// See [`WriteError`]; each names the file.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), WriteError> {
        let path = path.as_ref();
        let findings = self.not_finite();
        if !findings.is_empty() {
            return Err(WriteError::NotFinite {
                path: path.into(),
                findings,
            });
        }
        let mut json = serde_json::to_vec_pretty(self).map_err(|source| WriteError::Json {
            path: path.into(),
            source,
        })?;
        json.push(b'\n');
        replace(path, &json).map_err(|source| WriteError::Io {
            path: path.into(),
            source,
        })
    }
}

fn check_format(path: &Path, found: String) -> Result<(), ReadError> {
    let (name, supported) = split_format(Report::FORMAT);
    match split_format(&found) {
        (n, Some(major)) if n == name && Some(major) == supported => Ok(()),
        (n, Some(major)) if n == name && Some(major) > supported => Err(ReadError::NewerFormat {
            path: path.into(),
            expected: Report::FORMAT,
            found,
        }),
        _ => Err(ReadError::WrongFormat {
            path: path.into(),
            expected: Report::FORMAT,
            found,
        }),
    }
}

/// `name/major` in its parts.
fn split_format(format: &str) -> (&str, Option<u32>) {
    match format.split_once('/') {
        Some((name, major)) => (name, major.parse().ok()),
        None => (format, None),
    }
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // What a link points to is replaced, not the link.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
    // A pipe or a terminal has no place that could be swapped.
    if std::fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
        return std::fs::write(&path, bytes);
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".report-");
    // As any new file: what the process's umask leaves.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

fn list(findings: &[Finding]) -> String {
    const SHOWN: usize = 10;
    let mut lines: Vec<String> = findings
        .iter()
        .take(SHOWN)
        .map(Finding::to_string)
        .collect();
    if findings.len() > SHOWN {
        lines.push(format!("and {} more", findings.len() - SHOWN));
    }
    lines.join("; ")
}
