//! Comma-separated values in three forms: cells for scripts, a summary for pivot
//! tables, classes for those who look closer.
//!
//! Numbers are fractions with every digit, not percent. A text that a spreadsheet
//! would take for a formula gets an apostrophe in front.

use csv::{Error, Writer};

use crate::export::{MESSAGE, NAME};
use crate::tables::facts::Facts;
use crate::text::{one_line, reason};
use harness_report::Cell;
use harness_report::Report;
use harness_report::analysis::{Assessment, analyse};
use harness_report::metrics::Flips;
use harness_report::stats::Estimate;

type Row = Vec<String>;

/// A row a cell and condition; a cell without a number has one row.
pub(crate) fn cells(report: &Report) -> Result<String, Error> {
    let head = [
        "source",
        "target",
        "shots",
        "method",
        "dataset",
        "seed",
        "status",
        "reason",
        "training_seconds",
        "parameters",
        "condition",
        "accuracy",
        "correct",
        "total",
        "evaluation_seconds",
    ];
    let mut rows = Vec::new();
    for cell in &report.cells {
        let before = rows.len();
        for (name, condition) in cell.conditions.measured() {
            let mut row = cell_head(cell);
            row.extend([
                column(name).to_owned(),
                condition.accuracy.to_string(),
                condition.correct.to_string(),
                condition.total.to_string(),
                condition.seconds.to_string(),
            ]);
            rows.push(row);
        }
        if rows.len() == before {
            let mut row = cell_head(cell);
            row.resize(head.len(), String::new());
            rows.push(row);
        }
    }
    write(&head, rows)
}

/// A condition as the other tables call it: the report's format keeps older names.
fn column(condition: &'static str) -> &'static str {
    match condition {
        "zero_source" => "zero_shot_source",
        "zero_target" => "zero_shot_target",
        "oracle" => "retrained",
        same => same,
    }
}

fn cell_head(cell: &Cell) -> Row {
    let training = cell.training.as_ref();
    vec![
        text(&cell.upgrade.source, NAME),
        text(&cell.upgrade.target, NAME),
        cell.shots.to_string(),
        text(&cell.method, NAME),
        text(&cell.dataset, NAME),
        cell.seed.to_string(),
        cell.status.word().to_owned(),
        text(&reason(&cell.status), MESSAGE),
        training.map_or_else(String::new, |t| t.seconds.to_string()),
        training.map_or_else(String::new, |t| t.parameters.to_string()),
    ]
}

/// A row a method, data set, shots and upgrade, over the seeds that were measured.
pub(crate) fn summary(report: &Report) -> Result<String, Error> {
    let head = [
        "source",
        "target",
        "shots",
        "method",
        "dataset",
        "verdict",
        "reason",
        "recommendation",
        "advice",
        "seeds",
        "missing",
        "zero_shot_source",
        "base",
        "base_half_width",
        "zero_shot_target",
        "new",
        "new_half_width",
        "retrained",
        "retrained_half_width",
        "h",
        "new_over_zero_shot",
        "new_over_zero_shot_half_width",
        "recovery",
        "gain_kept",
        "update_gain",
        "negative_flips",
        "caused_by_module",
        "caused_by_backbone",
        "fixed_by_retraining",
        "unattributed",
        "positive_flips",
        "nfi",
        "relative_nfr",
        "btc",
        "bec",
    ];
    let analysis = analyse(report);
    let rows = analysis.assessments.iter().map(|assessment| {
        let mut row = assessment_head(assessment);
        row.extend(numbers(assessment));
        row.resize(head.len(), String::new());
        row
    });
    write(&head, rows)
}

/// Negative flips, their four parts, positive flips.
fn counts(flips: &Flips) -> [u64; 6] {
    [
        flips.negative,
        flips.adapter_caused,
        flips.backbone_caused,
        flips.recoverable,
        flips.unattributed,
        flips.positive,
    ]
}

fn assessment_head(assessment: &Assessment<'_>) -> Row {
    vec![
        text(&assessment.upgrade.source, NAME),
        text(&assessment.upgrade.target, NAME),
        assessment.shots.to_string(),
        text(assessment.method, NAME),
        text(assessment.dataset, NAME),
    ]
}

/// From `verdict` to the last column that has something.
fn numbers(assessment: &Assessment<'_>) -> Row {
    let missing = assessment.missing.iter();
    let missing: Vec<String> = missing
        .map(|missing| format!("seed {}: {}", missing.seed, missing.status.word()))
        .collect();
    let mut row = vec![
        assessment
            .verdict
            .map_or("", |verdict| verdict.word())
            .to_owned(),
        text(&assessment.reason, MESSAGE),
        assessment.recommendation.word().to_owned(),
        text(&assessment.advice, MESSAGE),
        assessment.cells.len().to_string(),
        missing.join("; "),
    ];
    let Some(facts) = Facts::of(assessment) else {
        return row;
    };
    let optional = |number: Option<f64>| number.map_or_else(String::new, |n| n.to_string());
    let half = |estimate: &Estimate| optional(estimate.half_width);
    row.extend([
        optional(facts.zero_source),
        facts.base.mean.to_string(),
        half(&facts.base),
        facts.zero_target.to_string(),
        facts.new.mean.to_string(),
        half(&facts.new),
        optional(facts.oracle.map(|oracle| oracle.mean)),
        facts.oracle.as_ref().map(half).unwrap_or_default(),
        facts.h.mean.to_string(),
        facts.over_zero_shot.mean.to_string(),
        half(&facts.over_zero_shot),
        optional(facts.recovery.map(|share| share.value)),
        optional(facts.gain_kept.map(|kept| kept.value)),
        optional(facts.update_gain.map(|share| share.value)),
    ]);
    if let Some(flips) = assessment.flips {
        row.extend(counts(&flips).map(|count| optional(flips.rate(count))));
        let relations = [
            flips.impact(),
            flips.relative(),
            flips.trust(),
            flips.error_compatibility(),
        ];
        row.extend(relations.map(optional));
    }
    row
}

/// A row a class of each method and data set, where the report knows the labels.
pub(crate) fn classes(report: &Report) -> Result<String, Error> {
    let head = [
        "source",
        "target",
        "shots",
        "method",
        "dataset",
        "class",
        "class_name",
        "images",
        "base",
        "zero_shot_target",
        "new",
        "new_low",
        "new_high",
        "negative_flips",
        "caused_by_module",
        "caused_by_backbone",
        "fixed_by_retraining",
        "unattributed",
        "positive_flips",
    ];
    let analysis = analyse(report);
    let mut rows = Vec::new();
    for assessment in &analysis.assessments {
        let mut datasets = report.datasets.iter();
        let names = datasets
            .find(|dataset| dataset.name == assessment.dataset)
            .map_or(&[][..], |dataset| &dataset.class_names);
        for class in assessment.classes(report) {
            let mut row = assessment_head(assessment);
            let name = names.get(class.class).map_or("", String::as_str);
            row.extend([class.class.to_string(), text(name, NAME)]);
            let numbers = [
                class.base,
                class.zero_target,
                class.new,
                class.new_interval.low,
                class.new_interval.high,
            ];
            row.push(class.images.to_string());
            row.extend(numbers.map(|number| number.to_string()));
            row.extend(counts(&class.flips).map(|count| count.to_string()));
            rows.push(row);
        }
    }
    write(&head, rows)
}

fn write(head: &[&str], rows: impl IntoIterator<Item = Row>) -> Result<String, Error> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(head)?;
    for row in rows {
        writer.write_record(row)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text of the report on one line, which no spreadsheet takes for a formula.
fn text(text: &str, width: usize) -> String {
    let line = one_line(text, width);
    // Full-width signs are formulas to spreadsheets of some languages.
    let starts_formula = |c| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    if line.starts_with(starts_formula) {
        format!("'{line}")
    } else {
        line
    }
}
