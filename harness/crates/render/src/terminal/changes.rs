//! From Base to New, image by image: which were lost, and why.

use crate::terminal::footnotes::NAME;
use crate::terminal::grid::{Grid, Row, Slot};
use crate::terminal::numbers::{NOT_AVAILABLE, percent};
use crate::terminal::sanitise::one_line;
use harness_report::Cell;
use harness_report::Condition;
use harness_report::aggregate::Block;
use harness_report::analysis::{Analysis, Assessment};
use harness_report::metrics::Flips;
use harness_report::stats::mean;

/// What the table is of.
pub(crate) const TITLE: &str = "From Base to New, in percent of the test images, means over data \
                                sets: negative flips by cause, and how sure predictions are";

/// A column: its head and its number of an assessment.
type Column = (&'static str, fn(&Assessment<'_>) -> Option<f64>);

/// A row a method. Confidences have columns where any were kept. `None` where nothing was measured.
pub(crate) fn changes(block: &Block<'_>, analysis: &Analysis<'_>) -> Option<Grid> {
    let own: Vec<&Assessment<'_>> = analysis.of_block(block.upgrade, block.shots).collect();
    let columns: Vec<Column> = [
        (
            "negative flips",
            negative as fn(&Assessment<'_>) -> Option<f64>,
        ),
        ("by the module", by_module),
        ("by the backbone", by_backbone),
        ("mended by retraining", by_training),
        ("positive flips", positive),
        ("churn", churn),
        ("ECE of Base", |one| {
            one.mean(|cell| error(cell.conditions.base.as_ref()))
        }),
        ("ECE of New", |one| {
            one.mean(|cell| error(cell.conditions.new.as_ref()))
        }),
    ]
    .into_iter()
    .filter(|(_, number)| own.iter().any(|one| number(one).is_some()))
    .collect();
    if columns.is_empty() {
        return None;
    }
    let rows = block.methods.iter().map(|method| {
        let own = own
            .iter()
            .filter(|one| one.method == method.label && one.flips.is_some());
        let own: Vec<&&Assessment<'_>> = own.collect();
        let slots = columns.iter().map(|(_, number)| {
            let numbers: Option<Vec<f64>> = own.iter().map(|one| number(one)).collect();
            let number = numbers.and_then(|numbers| mean(&numbers));
            Slot::plain(number.map_or(NOT_AVAILABLE.into(), percent))
        });
        Row {
            label: one_line(method.label, NAME),
            markers: String::new(),
            slots: slots.collect(),
        }
    });
    Some(Grid {
        heads: columns.iter().map(|(head, _)| (*head).to_owned()).collect(),
        rows: rows.collect(),
    })
}

fn rate(one: &Assessment<'_>, count: fn(&Flips) -> u64) -> Option<f64> {
    let flips = one.flips.as_ref()?;
    flips.rate(count(flips))
}

fn negative(one: &Assessment<'_>) -> Option<f64> {
    rate(one, |flips| flips.negative)
}

fn positive(one: &Assessment<'_>) -> Option<f64> {
    rate(one, |flips| flips.positive)
}

fn by_module(one: &Assessment<'_>) -> Option<f64> {
    rate(one, |flips| flips.adapter_caused)
}

/// Only where the others were told apart by retraining.
fn by_backbone(one: &Assessment<'_>) -> Option<f64> {
    one.flips.filter(|flips| flips.unattributed == 0)?;
    rate(one, |flips| flips.backbone_caused)
}

fn by_training(one: &Assessment<'_>) -> Option<f64> {
    one.flips.filter(|flips| flips.unattributed == 0)?;
    rate(one, |flips| flips.recoverable)
}

fn churn(one: &Assessment<'_>) -> Option<f64> {
    one.mean(|cell: &Cell| Some(cell.changes?.churn))
}

fn error(condition: Option<&Condition>) -> Option<f64> {
    condition?.calibration_error
}
