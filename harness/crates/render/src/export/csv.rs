//! Comma-separated values in three forms: cells for scripts, a summary for pivot
//! tables, classes for those who look closer.
//!
//! Numbers are fractions with every digit, not percent. A text that a spreadsheet
//! would take for a formula gets an apostrophe in front.

use csv::{Error, Writer};

use crate::export::{MESSAGE, NAME};
use crate::tables::facts::Facts;
use crate::text::{one_line, reason};
use harness_report::analysis::{Assessment, analyse};
use harness_report::metrics::{ClassRow, Flips};
use harness_report::{Cell, Condition, Report};

/// A column: its name, and its text of a row's subject.
type Column<T> = (&'static str, fn(&T) -> String);

/// A row a cell and condition; a cell without a number has one row.
pub(crate) fn cells(report: &Report) -> Result<String, Error> {
    let columns: &[Column<Measured<'_>>] = &[
        ("source", |row| text(&row.cell.upgrade.source, NAME)),
        ("target", |row| text(&row.cell.upgrade.target, NAME)),
        ("shots", |row| row.cell.shots.to_string()),
        ("method", |row| text(&row.cell.method, NAME)),
        ("dataset", |row| text(&row.cell.dataset, NAME)),
        ("seed", |row| row.cell.seed.to_string()),
        ("status", |row| row.cell.status.word().to_owned()),
        ("reason", |row| text(&reason(&row.cell.status), MESSAGE)),
        ("training_seconds", |row| {
            or_empty(row.cell.training.as_ref().map(|training| training.seconds))
        }),
        ("parameters", |row| {
            or_empty(
                row.cell
                    .training
                    .as_ref()
                    .map(|training| training.parameters),
            )
        }),
        ("condition", |row| {
            or_empty(row.condition.map(|(name, _)| column(name)))
        }),
        ("accuracy", |row| {
            or_empty(row.condition.map(|(_, condition)| condition.accuracy))
        }),
        ("correct", |row| {
            or_empty(row.condition.map(|(_, condition)| condition.correct))
        }),
        ("total", |row| {
            or_empty(row.condition.map(|(_, condition)| condition.total))
        }),
        ("evaluation_seconds", |row| {
            or_empty(row.condition.map(|(_, condition)| condition.seconds))
        }),
    ];
    let rows = report.cells.iter().flat_map(|cell| {
        let measured = cell.conditions.measured();
        let mut rows: Vec<Measured<'_>> = measured
            .map(|condition| Measured {
                cell,
                condition: Some(condition),
            })
            .collect();
        if rows.is_empty() {
            rows.push(Measured {
                cell,
                condition: None,
            });
        }
        rows
    });
    write(columns, rows)
}

/// A cell in one of its conditions.
struct Measured<'a> {
    cell: &'a Cell,
    condition: Option<(&'static str, &'a Condition)>,
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

/// A row a method, data set, shots and upgrade, over the seeds that were measured.
pub(crate) fn summary(report: &Report) -> Result<String, Error> {
    let columns: &[Column<Assessed<'_>>] = &[
        ("source", |row| text(&row.of.upgrade.source, NAME)),
        ("target", |row| text(&row.of.upgrade.target, NAME)),
        ("shots", |row| row.of.shots.to_string()),
        ("method", |row| text(row.of.method, NAME)),
        ("dataset", |row| text(row.of.dataset, NAME)),
        ("verdict", |row| {
            or_empty(row.of.verdict.map(|verdict| verdict.word()))
        }),
        ("reason", |row| text(&row.of.reason, MESSAGE)),
        ("recommendation", |row| {
            row.of.recommendation.word().to_owned()
        }),
        ("advice", |row| text(&row.of.advice, MESSAGE)),
        ("seeds", |row| row.of.cells.len().to_string()),
        ("missing", |row| missing(row.of)),
        ("zero_shot_source", |row| {
            row.fact(|facts| facts.zero_source)
        }),
        ("base", |row| row.fact(|facts| Some(facts.base.mean))),
        ("base_half_width", |row| {
            row.fact(|facts| facts.base.half_width)
        }),
        ("zero_shot_target", |row| {
            row.fact(|facts| Some(facts.zero_target))
        }),
        ("new", |row| row.fact(|facts| Some(facts.new.mean))),
        ("new_half_width", |row| {
            row.fact(|facts| facts.new.half_width)
        }),
        ("retrained", |row| {
            row.fact(|facts| facts.oracle.map(|oracle| oracle.mean))
        }),
        ("retrained_half_width", |row| {
            row.fact(|facts| facts.oracle?.half_width)
        }),
        ("h", |row| row.fact(|facts| Some(facts.h.mean))),
        ("new_over_zero_shot", |row| {
            row.fact(|facts| Some(facts.over_zero_shot.mean))
        }),
        ("new_over_zero_shot_half_width", |row| {
            row.fact(|facts| facts.over_zero_shot.half_width)
        }),
        ("recovery", |row| {
            row.fact(|facts| facts.recovery.map(|share| share.value))
        }),
        ("gain_kept", |row| {
            row.fact(|facts| facts.gain_kept.map(|kept| kept.value))
        }),
        ("update_gain", |row| {
            row.fact(|facts| facts.update_gain.map(|share| share.value))
        }),
        ("negative_flips", |row| {
            row.flips(|flips| flips.rate(flips.negative))
        }),
        ("caused_by_module", |row| {
            row.flips(|flips| flips.rate(flips.adapter_caused))
        }),
        ("caused_by_backbone", |row| {
            row.flips(|flips| flips.rate(flips.backbone_caused))
        }),
        ("fixed_by_retraining", |row| {
            row.flips(|flips| flips.rate(flips.recoverable))
        }),
        ("unattributed", |row| {
            row.flips(|flips| flips.rate(flips.unattributed))
        }),
        ("positive_flips", |row| {
            row.flips(|flips| flips.rate(flips.positive))
        }),
        ("nfi", |row| row.flips(Flips::impact)),
        ("relative_nfr", |row| row.flips(Flips::relative)),
        ("btc", |row| row.flips(Flips::trust)),
        ("bec", |row| row.flips(Flips::error_compatibility)),
    ];
    let analysis = analyse(report);
    let rows = analysis.assessments.iter().map(|of| Assessed {
        of,
        facts: Facts::of(of),
    });
    write(columns, rows)
}

/// An assessment with the numbers of its row, where it has any.
struct Assessed<'a> {
    of: &'a Assessment<'a>,
    facts: Option<Facts>,
}

impl Assessed<'_> {
    fn fact(&self, number: impl Fn(&Facts) -> Option<f64>) -> String {
        or_empty(self.facts.as_ref().and_then(number))
    }

    /// Flips are shown beside the numbers alone.
    fn flips(&self, number: impl Fn(&Flips) -> Option<f64>) -> String {
        let flips = self.of.flips.as_ref().filter(|_| self.facts.is_some());
        or_empty(flips.and_then(number))
    }
}

fn missing(of: &Assessment<'_>) -> String {
    let missing = of.missing.iter();
    let missing: Vec<String> = missing
        .map(|missing| format!("seed {}: {}", missing.seed, missing.status.word()))
        .collect();
    missing.join("; ")
}

/// A row a class of each method and data set, where the report knows the labels.
pub(crate) fn classes(report: &Report) -> Result<String, Error> {
    let columns: &[Column<OfClass<'_>>] = &[
        ("source", |row| text(&row.of.upgrade.source, NAME)),
        ("target", |row| text(&row.of.upgrade.target, NAME)),
        ("shots", |row| row.of.shots.to_string()),
        ("method", |row| text(row.of.method, NAME)),
        ("dataset", |row| text(row.of.dataset, NAME)),
        ("class", |row| row.class.class.to_string()),
        ("class_name", |row| text(row.name, NAME)),
        ("images", |row| row.class.images.to_string()),
        ("base", |row| row.class.base.to_string()),
        ("zero_shot_target", |row| row.class.zero_target.to_string()),
        ("new", |row| row.class.new.to_string()),
        ("new_low", |row| row.class.new_interval.low.to_string()),
        ("new_high", |row| row.class.new_interval.high.to_string()),
        ("negative_flips", |row| row.class.flips.negative.to_string()),
        ("caused_by_module", |row| {
            row.class.flips.adapter_caused.to_string()
        }),
        ("caused_by_backbone", |row| {
            row.class.flips.backbone_caused.to_string()
        }),
        ("fixed_by_retraining", |row| {
            row.class.flips.recoverable.to_string()
        }),
        ("unattributed", |row| {
            row.class.flips.unattributed.to_string()
        }),
        ("positive_flips", |row| row.class.flips.positive.to_string()),
    ];
    let analysis = analyse(report);
    let rows = analysis.assessments.iter().flat_map(|of| {
        let mut datasets = report.datasets.iter();
        let names = datasets
            .find(|dataset| dataset.name == of.dataset)
            .map_or(&[][..], |dataset| &dataset.class_names);
        let classes = of.classes(report).into_iter();
        classes.map(move |class| OfClass {
            of,
            name: names.get(class.class).map_or("", String::as_str),
            class,
        })
    });
    write(columns, rows)
}

/// A class of an assessment.
struct OfClass<'a> {
    of: &'a Assessment<'a>,
    name: &'a str,
    class: ClassRow,
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn write<T>(columns: &[Column<T>], rows: impl IntoIterator<Item = T>) -> Result<String, Error> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(|(name, _)| name))?;
    for row in rows {
        writer.write_record(columns.iter().map(|(_, text)| text(&row)))?;
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
