//! From Base to New, image by image: which were lost, and why.

use crate::tables::{Cell, Row, Table};
use harness_report::Condition;
use harness_report::aggregate::Block;
use harness_report::analysis::{Analysis, Assessment};
use harness_report::metrics::Flips;
use harness_report::stats::mean;

/// What the table is of.
pub(crate) const TITLE: &str =
    "Changes from Base (source) to New (target), in percent, means over data sets";

/// A column: its head and its number of the assessments of a method.
type Column = (&'static str, fn(&[&Assessment<'_>]) -> Option<f64>);

const COLUMNS: [Column; 8] = [
    ("negative flips", |own| Some(rates(own)?.negative())),
    ("caused by the module", |own| Some(rates(own)?.by_module)),
    ("caused by the backbone", |own| {
        Some(attributed(own)?.by_backbone)
    }),
    ("fixed by retraining", |own| {
        Some(attributed(own)?.by_retraining)
    }),
    ("positive flips", |own| Some(rates(own)?.positive)),
    ("churn", |own| {
        average(own, |one| one.mean(|cell| Some(cell.changes?.churn)))
    }),
    ("ECE of Base", |own| {
        average(own, |one| {
            one.mean(|cell| error(cell.conditions.base.as_ref()))
        })
    }),
    ("ECE of New", |own| {
        average(own, |one| {
            one.mean(|cell| error(cell.conditions.new.as_ref()))
        })
    }),
];

/// A row a method. Confidences have columns where any were kept. `None` where nothing was
/// measured.
pub(crate) fn flips<'a>(block: &Block<'a>, analysis: &Analysis<'_>) -> Option<Table<'a>> {
    let methods = block.methods.iter().enumerate();
    let numbers = methods.map(|(at, method)| {
        let own = analysis.of_method(block.upgrade, block.shots, method.label);
        let own: Vec<&Assessment<'_>> = own.filter(|one| one.flips.is_some()).collect();
        (at, method.label, COLUMNS.map(|(_, number)| number(&own)))
    });
    let numbers: Vec<_> = numbers.collect();
    let is_known = |column: &usize| numbers.iter().any(|(_, _, row)| row[*column].is_some());
    let columns: Vec<usize> = (0..COLUMNS.len()).filter(is_known).collect();
    let rows = numbers.iter().map(|(at, label, row)| Row {
        label,
        method: Some(*at),
        cells: columns.iter().map(|one| Cell::percent(row[*one])).collect(),
    });
    let heads = columns.iter().map(|column| COLUMNS[*column].0.to_owned());
    (!columns.is_empty()).then(|| Table {
        heads: heads.collect(),
        rows: rows.collect(),
        mean: None,
    })
}

fn rates(own: &[&Assessment<'_>]) -> Option<FlipRates> {
    FlipRates::mean(own.iter().copied())
}

/// Only where the flips that the module did not cause were told apart by retraining.
fn attributed(own: &[&Assessment<'_>]) -> Option<FlipRates> {
    rates(own).filter(|rates| rates.unattributed == 0.0)
}

/// Mean over data sets; `None` unless each has a number.
fn average(
    own: &[&Assessment<'_>],
    number: impl Fn(&Assessment<'_>) -> Option<f64>,
) -> Option<f64> {
    let numbers: Option<Vec<f64>> = own.iter().map(|one| number(one)).collect();
    mean(&numbers?)
}

fn error(condition: Option<&Condition>) -> Option<f64> {
    condition?.calibration_error
}

/// Images by what became of them from Base to New, as shares of the test images.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FlipRates {
    pub(crate) both_right: f64,
    pub(crate) both_wrong: f64,
    /// Wrong in Base, right in New.
    pub(crate) positive: f64,
    /// Of the negative flips: dropping the module fixes them.
    pub(crate) by_module: f64,
    /// Of the negative flips: retraining fixes them.
    pub(crate) by_retraining: f64,
    /// Of the negative flips: nothing measured fixes them.
    pub(crate) by_backbone: f64,
    /// Of the negative flips: nothing was retrained.
    pub(crate) unattributed: f64,
}

impl FlipRates {
    /// `None` of no image.
    pub(crate) fn of(flips: &Flips) -> Option<Self> {
        Some(Self {
            both_right: flips.rate(flips.both_right)?,
            both_wrong: flips.rate(flips.both_wrong)?,
            positive: flips.rate(flips.positive)?,
            by_module: flips.rate(flips.adapter_caused)?,
            by_retraining: flips.rate(flips.recoverable)?,
            by_backbone: flips.rate(flips.backbone_caused)?,
            unattributed: flips.rate(flips.unattributed)?,
        })
    }

    /// The mean over the data sets that were measured; `None` where none was.
    pub(crate) fn mean<'s, 'a: 's>(
        assessments: impl Iterator<Item = &'s Assessment<'a>>,
    ) -> Option<Self> {
        let flips = assessments.filter_map(|one| one.flips);
        let all: Vec<Self> = flips.filter_map(|flips| Self::of(&flips)).collect();
        let over = |number: fn(&Self) -> f64| mean(&all.iter().map(number).collect::<Vec<_>>());
        Some(Self {
            both_right: over(|r| r.both_right)?,
            both_wrong: over(|r| r.both_wrong)?,
            positive: over(|r| r.positive)?,
            by_module: over(|r| r.by_module)?,
            by_retraining: over(|r| r.by_retraining)?,
            by_backbone: over(|r| r.by_backbone)?,
            unattributed: over(|r| r.unattributed)?,
        })
    }

    /// Right in Base, wrong in New.
    pub(crate) fn negative(&self) -> f64 {
        self.by_module + self.by_retraining + self.by_backbone + self.unattributed
    }
}
