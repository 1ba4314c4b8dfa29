//! Test cases as Jenkins and GitLab read them: a suite an upgrade, a case a method on a
//! data set.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::export::{MESSAGE, NAME};
use crate::tables::facts::{Facts, row};
use crate::text::{
    NOT_AVAILABLE, command, heading, one_line, percent, points, reason, summary_line, word,
};
use harness_report::Report;
use harness_report::Status;
use harness_report::aggregate::{Block, blocks};
use harness_report::analysis::{Analysis, Assessment, Verdict, analyse};

/// Most lines of a worker's log.
const LOG: usize = 40;

/// A case fails where the module is degraded or incompatible, is an error where a cell
/// broke, and is skipped where the module does not fit or the result is inconclusive.
pub(crate) fn junit(report: &Report) -> Result<String, SerializeError> {
    let analysis = analyse(report);
    let mut file = quick_junit::Report::new(one_line(&report.suite.name, NAME));
    file.set_time(seconds(report.provenance.wall_seconds));
    for block in blocks(report) {
        file.add_test_suite(suite(report, &block, &analysis));
    }
    file.to_string()
}

fn suite(report: &Report, block: &Block<'_>, analysis: &Analysis<'_>) -> TestSuite {
    let heading = one_line(&heading(block), MESSAGE);
    let mut suite = TestSuite::new(&heading);
    for (name, value) in [
        ("suite", &report.suite.path),
        ("suite.sha256", &report.suite.sha256),
        ("summary", &summary_line(report)),
    ] {
        suite.add_property(Property::new(name, one_line(value, MESSAGE)));
    }
    let mut time = Duration::ZERO;
    for method in &block.methods {
        for assessment in row(analysis, block, method).into_iter().flatten() {
            let case = case(assessment, &heading);
            time += case.time.unwrap_or_default();
            suite.add_test_case(case);
        }
    }
    suite.set_time(time);
    suite
}

fn case(assessment: &Assessment<'_>, heading: &str) -> TestCase {
    let method = one_line(assessment.method, NAME);
    let name = format!("{method} / {}", one_line(assessment.dataset, NAME));
    let mut case = TestCase::new(name, status(assessment, heading));
    case.set_classname(format!(
        "{} → {}",
        one_line(&assessment.upgrade.source, NAME),
        one_line(&assessment.upgrade.target, NAME)
    ));
    let used = assessment.cells.iter().filter_map(|cell| cell.usage);
    case.set_time(seconds(used.map(|usage| usage.wall_seconds).sum()));
    if assessment.verdict == Some(Verdict::Compatible) {
        case.set_system_out(body(assessment, heading));
    }
    case
}

fn status(assessment: &Assessment<'_>, heading: &str) -> TestCaseStatus {
    let broken = assessment.missing.iter().find(|missing| {
        matches!(
            missing.status,
            Status::Failed { .. } | Status::Crashed { .. } | Status::TimedOut { .. }
        )
    });
    let mut status = match (broken, assessment.verdict) {
        (Some(_), _) => TestCaseStatus::non_success(NonSuccessKind::Error),
        (None, Some(Verdict::Compatible)) => return TestCaseStatus::success(),
        (None, Some(Verdict::Incompatible | Verdict::Degraded)) => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        (None, Some(Verdict::NotInjectable | Verdict::NoGain | Verdict::Inconclusive) | None) => {
            TestCaseStatus::skipped()
        }
    };
    let (kind, message) = match broken {
        Some(missing) => (word(missing.status), reason(missing.status)),
        None => match assessment.verdict {
            Some(verdict) => (verdict.word(), assessment.reason.clone()),
            None => ("not run", "the run ended before this cell".to_owned()),
        },
    };
    let message = one_line(&message, MESSAGE);
    status
        .set_type(kind)
        .set_message(format!("{kind}: {message}"))
        .set_description(body(assessment, heading));
    status
}

/// What a reader of the failure has to know, a fact a line.
fn body(assessment: &Assessment<'_>, heading: &str) -> String {
    let verdict = assessment.verdict.map_or("no verdict", Verdict::word);
    let mut lines = vec![
        format!(
            "--- {verdict}: {} on {}, {heading} ---",
            one_line(assessment.method, NAME),
            one_line(assessment.dataset, NAME)
        ),
        format!("Verdict: {}", one_line(&assessment.reason, MESSAGE)),
        format!(
            "Recommendation: {}, {}",
            assessment.recommendation.word(),
            one_line(&assessment.advice, MESSAGE)
        ),
    ];
    if let Some(facts) = Facts::of(assessment) {
        let source = facts.zero_source.map_or(NOT_AVAILABLE.into(), percent);
        lines.push(format!(
            "Measured: Base {} (zero-shot {source}), New {} (zero-shot {}, {}), {} of {} seeds",
            percent(facts.base.mean),
            percent(facts.new.mean),
            percent(facts.zero_target),
            points(facts.over_zero_shot.mean),
            assessment.cells.len(),
            assessment.cells.len() + assessment.missing.len(),
        ));
    }
    for missing in &assessment.missing {
        let why = one_line(&reason(missing.status), MESSAGE);
        lines.push(format!(
            "Seed {}: {} {why}",
            missing.seed,
            word(missing.status)
        ));
        lines.push(format!("Rerun: {}", command(missing.rerun)));
        lines.extend(log(missing.status));
    }
    if assessment.missing.is_empty() {
        let reruns = assessment.cells.iter().map(|cell| &cell.rerun);
        lines.extend(reruns.map(|rerun| format!("Rerun: {}", command(rerun))));
    }
    lines.join("\n")
}

/// The end of what a broken worker wrote.
fn log(status: &Status) -> Vec<String> {
    let (Status::Crashed { log, .. } | Status::TimedOut { log, .. }) = status else {
        return Vec::new();
    };
    let lines: Vec<&str> = log.lines().collect();
    let end = &lines[lines.len().saturating_sub(LOG)..];
    end.iter()
        .map(|line| format!("  {}", one_line(line, MESSAGE)))
        .collect()
}

/// Seconds as a duration, 0 for what is none.
fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::junit;
    use crate::export::sample::{drawn, hostile};
    use crate::fixture;
    use harness_report::Status;
    use harness_test_tools::tool;

    #[test]
    fn the_file_is_what_other_tools_read() {
        let Some(xmllint) = tool("xmllint") else {
            return;
        };
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/junit.xsd");
        for report in [hostile(), drawn(&["coop"], &[("shapes", 2)], &[1, 2], 100)] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("report.xml");
            std::fs::write(&path, junit(&report).unwrap()).unwrap();
            let output = Command::new(&xmllint)
                .args(["--noout", "--nonet", "--schema"])
                .arg(&schema)
                .arg(&path)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }

    #[test]
    fn each_outcome_has_its_element() {
        let methods = ["fits", "hurts", "unfit", "crashed", "outstanding"];
        let report = fixture::report(&methods, &["a"], &[1], |m, _, _| match m {
            0 => Ok(([400, 600, 500, 760], None)),
            1 => Ok(([400, 600, 700, 620], None)),
            2 => Err(Status::NotInjectable {
                reason: "needs text width 512".into(),
            }),
            3 => Err(Status::Crashed {
                message: "signal 11".into(),
                log: String::new(),
            }),
            _ => Err(Status::NotRun),
        });
        let text = junit(&report).unwrap();
        assert!(
            text.contains("tests=\"5\" skipped=\"2\" failures=\"1\" errors=\"1\""),
            "{text}"
        );
        for part in [
            "<failure message=\"incompatible: +20.00 points over zero-shot on the source, -8.00 on the target",
            "<skipped message=\"not injectable: needs text width 512\"",
            "<error message=\"crashed: signal 11\" type=\"crashed\">",
            "<skipped message=\"not run: the run ended before this cell\"",
            "Rerun: harness run s.yaml --only crashed/a/1",
        ] {
            assert!(text.contains(part), "{part}:\n{text}");
        }
    }
}
