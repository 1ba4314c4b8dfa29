//! Reading and writing report files.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::lint::Finding;
use crate::report::Report;
use harness_store::{Key, write_atomically};

/// Why a report could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    /// A suite, by its extension.
    #[error(
        "{path}: this is a suite, not a report: `harness run` writes its report with -o FILE.json"
    )]
    Suite { path: PathBuf },
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
    #[error("{path}: larger than {} MiB, which no report is", MOST_BYTES >> 20)]
    TooLarge { path: PathBuf },
    /// Its content is not what a run wrote.
    #[error("{path}: edited after it was written: its digest is {stated}, its content's {found}")]
    Edited {
        path: PathBuf,
        stated: String,
        found: String,
    },
    /// Numbers in the file contradict each other.
    #[error("{path}: inconsistent: {}", list(.findings))]
    Inconsistent {
        path: PathBuf,
        findings: Vec<Finding>,
    },
}

/// Bytes that are read; a file with as many is too large for a report.
const MOST_BYTES: u64 = (1 << 30) + 1;

/// Why a report could not be written. The file that was there before is intact.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    #[error("{path}: cannot be written: {source}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: the report cannot be written as JSON: {source}")]
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
    /// ([`Report::lint`]) and was not edited. No derived number is taken from the file: H, retention
    /// and all others are computed anew from the per-image results.
    ///
    /// # Errors
    /// See [`ReadError`]; each names the file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        match Self::read_edited(path)? {
            (report, None) => Ok(report),
            (_, Some(edited)) => Err(edited),
        }
    }

    /// As [`Report::read`], and also gives a report that was edited, with the error that says so.
    ///
    /// # Errors
    /// See [`ReadError`]; each names the file.
    pub fn read_edited(path: impl AsRef<Path>) -> Result<(Self, Option<ReadError>), ReadError> {
        let path = path.as_ref();
        let text = read_bounded(path)?;
        let extension = path.extension().and_then(OsStr::to_str);
        let is_suite = matches!(extension, Some("yaml" | "yml"));
        let malformed = |source| match is_suite {
            true => ReadError::Suite { path: path.into() },
            false => ReadError::Malformed {
                path: path.into(),
                expected: Self::FORMAT,
                source,
            },
        };
        // The format first: a newer file differs in ways the types cannot name.
        let header: Header = serde_json::from_slice(&text).map_err(malformed)?;
        check_format(path, header.schema)?;
        let mut report: Self = serde_json::from_slice(&text).map_err(malformed)?;
        let findings = report.lint();
        if !findings.is_empty() {
            return Err(ReadError::Inconsistent {
                path: path.into(),
                findings,
            });
        }
        let Some(stated) = report.digest.take() else {
            return Ok((report, None));
        };
        let found = digest(&text).map_err(malformed)?;
        let edited = (stated != found).then(|| ReadError::Edited {
            path: path.into(),
            stated,
            found,
        });
        Ok((report, edited))
    }

    /// Writes the report as indented JSON: beside the destination first, then in
    /// its place in one step, so that a reader never sees half a file.
    ///
    /// # Errors
    /// See [`WriteError`]; each names the file.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), WriteError> {
        let path = path.as_ref();
        self.check_finite(path)?;
        let json = self.to_json().map_err(|source| WriteError::Json {
            path: path.into(),
            source,
        })?;
        write_atomically(path, &json).map_err(|source| WriteError::Io {
            path: path.into(),
            source,
        })
    }

    /// Indented JSON with a digest of its content.
    ///
    /// # Errors
    /// A value has no form in JSON.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut value = serde_json::to_vec_pretty(self)?;
        let line = format!("  \"digest\": \"{}\",\n", digest(&value)?);
        // The first line opens the object, the second says which format it is.
        let mut ends = value.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let after_format = ends.nth(1).map_or(0, |(end, _)| end + 1);
        value.splice(after_format..after_format, line.into_bytes());
        value.push(b'\n');
        Ok(value)
    }

    /// An error that names `path` when a number is NaN or infinite.
    pub fn check_finite(&self, path: &Path) -> Result<(), WriteError> {
        let findings = self.not_finite();
        if findings.is_empty() {
            return Ok(());
        }
        Err(WriteError::NotFinite {
            path: path.into(),
            findings,
        })
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, ReadError> {
    let io = |source| ReadError::Io {
        path: path.into(),
        source,
    };
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(MOST_BYTES).read_to_end(&mut text).map_err(io)?;
    match text.len() as u64 {
        MOST_BYTES.. => Err(ReadError::TooLarge { path: path.into() }),
        _ => Ok(text),
    }
}

/// SHA-256 of a report's text but its digest, whatever its indentation and the order of its keys.
fn digest(text: &[u8]) -> Result<String, serde_json::Error> {
    let mut value: Value = serde_json::from_slice(text)?;
    if let Some(report) = value.as_object_mut() {
        report.remove("digest");
    }
    Ok(Key::of(&value).as_str().to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Status;
    use crate::fixture;

    fn sample() -> Report {
        let mut report =
            fixture::report(&["coop", "kgcoop"], &["shapes"], &[1], |m, _, _| match m {
                0 => Ok(([500, 620, 550, 600], Some(650))),
                _ => Err(Status::NotInjectable {
                    reason: "needs text width 512".into(),
                }),
            });
        let mut crashed = report.cells[1].clone();
        crashed.seed = 2.into();
        crashed.status = Status::Crashed {
            message: "signal 11".into(),
            log: "…".into(),
        };
        report.cells.push(crashed);
        report
    }

    /// The error of reading `sample()` after `edit` changed its text.
    fn refused(edit: impl Fn(String) -> String) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edited.json");
        sample().write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let edited = edit(text.clone());
        assert_ne!(edited, text, "the edit did nothing");
        std::fs::write(&path, edited).unwrap();
        let message = Report::read(&path).unwrap_err().to_string();
        assert!(message.contains("edited.json"), "{message}");
        message
    }

    #[test]
    fn a_report_reads_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        std::fs::write(&path, "what was there before").unwrap();
        sample().write(&path).unwrap();
        assert_eq!(Report::read(&path).unwrap(), sample());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"status\": \"ok\""), "{text}");
        assert!(text.contains("\"not-injectable\": {"), "{text}");
        let entries = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(entries, 1, "a temporary file was left behind");
    }

    #[test]
    fn a_report_that_cannot_be_written_is_an_error_and_harms_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no-such-folder").join("r.json");
        let message = sample().write(&missing).unwrap_err().to_string();
        assert!(message.contains("no-such-folder"), "{message}");

        let path = folder.path().join("r.json");
        sample().write(&path).unwrap();
        let mut broken = sample();
        broken.provenance.wall_seconds = f64::NAN;
        let message = broken.write(&path).unwrap_err().to_string();
        assert!(
            message.contains("provenance: wall_seconds is NaN"),
            "{message}"
        );
        assert_eq!(Report::read(&path).unwrap(), sample());
    }

    #[test]
    fn an_edited_report_is_known_and_a_formatted_one_is_not_edited() {
        // Without a contradiction: only the digest tells.
        let message =
            refused(|text| text.replace("\"name\": \"quickstart\"", "\"name\": \"mine\""));
        assert!(message.contains("edited after it was written"), "{message}");

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        sample().write(&path).unwrap();
        let text = std::fs::read(&path).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        std::fs::write(&path, value.to_string()).unwrap();
        assert_eq!(Report::read(&path).unwrap(), sample());
        let mut other = value.clone();
        other["suite"]["name"] = "mine".into();
        std::fs::write(&path, other.to_string()).unwrap();
        let (report, edited) = Report::read_edited(&path).unwrap();
        assert_eq!(report.suite.name, "mine");
        assert!(matches!(edited, Some(ReadError::Edited { .. })));
        // Without a digest it is a report of an older version.
        other.as_object_mut().unwrap().remove("digest");
        std::fs::write(&path, other.to_string()).unwrap();
        assert!(Report::read(&path).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (
            folder.path().join("real.json"),
            folder.path().join("link.json"),
        );
        std::fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        sample().write(&link).unwrap();
        assert!(link.is_symlink());
        assert_eq!(Report::read(&real).unwrap(), sample());
    }

    #[test]
    fn a_report_of_an_older_schema_is_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/reports");
        let report = Report::read(format!("{folder}/first-schema.json")).unwrap();
        // What was not kept then is absent, not zero.
        assert_eq!(report.datasets[0].test_labels, None);
        assert_eq!(report.cells[0].changes, None);
        assert_eq!(report.suite.gate, None);
        assert!(
            crate::analysis::analyse(&report).assessments[0]
                .verdict
                .is_some()
        );
    }

    #[test]
    fn labels_that_do_not_fit_are_refused() {
        let mut report = sample();
        let mut problem = |labels: Vec<u32>| {
            report.datasets[0].test_labels = Some(labels.into());
            report
                .lint()
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(problem(vec![1; 1000]), [""; 0]);
        assert_eq!(
            problem(vec![1; 999]),
            ["data set \"shapes\": 999 labels for 1000 test images"]
        );
        assert_eq!(
            problem(vec![2; 1000]),
            ["data set \"shapes\": label 2 of 2 classes"]
        );
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let message = refused(|text| {
            // A later version may look like anything behind its format.
            let rest = text.split_once("\"suite\"").unwrap().1;
            format!("{{\"schema\": \"harness-report/2\", \"suites\"{rest}")
        });
        assert!(
            message.contains("written in format harness-report/2"),
            "{message}"
        );
        assert!(message.contains("up to harness-report/1"), "{message}");
    }

    #[test]
    fn a_suite_is_no_report() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("suite.yaml");
        std::fs::write(&path, "name: x\n").unwrap();
        let message = Report::read(&path).unwrap_err().to_string();
        assert!(message.ends_with("`harness run` writes its report with -o FILE.json"));
    }

    #[test]
    fn other_files_are_refused() {
        let message = refused(|text| text.replace("harness-report/1", "harness-suite/1"));
        assert!(message.contains("found \"harness-suite/1\""), "{message}");
        let message = refused(|text| text[..text.len() / 2].to_owned());
        assert!(
            message.contains("not a report of format harness-report/1"),
            "{message}"
        );
        let message = refused(|_| "[".repeat(100_000));
        assert!(message.contains("not a report"), "{message}");
        let message = refused(|text| text.replace("\"jobs\"", "\"job\""));
        assert!(message.contains("unknown field `job`"), "{message}");
    }

    #[test]
    fn contradictions_are_refused() {
        let cases: [(&str, &str, &str); 10] = [
            (
                "\"correct\": 620",
                "\"correct\": 621",
                "base: accuracy is 0.62, but 621 of 1000",
            ),
            (
                "\"accuracy\": 0.6,",
                "\"accuracy\": 0.61,",
                "new: accuracy is 0.61",
            ),
            ("\"total\": 1000", "\"total\": 0", "total is 0"),
            (
                "\"test\": 1000",
                "\"test\": 999",
                "the data set has 999 test images",
            ),
            (
                "00\",\n          \"predictions",
                "80\",\n          \"predictions",
                "in the bitmap",
            ),
            (
                "_after\": \"ff\"",
                "_after\": \"fe\"",
                "changed while it was injected",
            ),
            (
                "\"label\": \"kgcoop\"",
                "\"label\": \"coop\"",
                "\"coop\" is listed twice",
            ),
            (
                "\"method\": \"coop\"",
                "\"method\": \"cop\"",
                "not among the methods",
            ),
            (
                "\"seed\": 2",
                "\"seed\": 1",
                "is listed twice, expected once",
            ),
            (
                "\"zero_target\": {",
                "\"oracle\": {",
                "duplicate field `oracle`",
            ),
        ];
        for (from, to, expected) in cases {
            let message = refused(|text| text.replace(from, to));
            assert!(message.contains(expected), "{from} → {to}: {message}");
        }
    }

    #[test]
    fn zero_shot_that_depends_on_the_method_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        let report = fixture::report(&["coop", "kgcoop"], &["shapes"], &[1], |m, _, _| {
            Ok(([500, 620, 550 + m as u32, 600], None))
        });
        report.write(&path).unwrap();
        let message = Report::read(&path).unwrap_err().to_string();
        assert!(
            message.contains("zero-shot of \"micro-eva-clip\" has 551"),
            "{message}"
        );
    }

    #[test]
    fn a_finished_cell_has_its_conditions() {
        let mut report = sample();
        report.cells[0].conditions.new = None;
        let findings = report.lint();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].problem, "ok, but new is missing");
    }
}
