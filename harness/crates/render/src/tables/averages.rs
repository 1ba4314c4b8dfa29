//! Averages over data sets: a row a method.

use crate::tables::flips::FlipRates;
use crate::tables::{Cell, Row, Table, Unit};
use crate::text::count;
use harness_report::aggregate::{Block, MethodRow, Summary, ZeroShotSummary};
use harness_report::analysis::Analysis;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Average {
    Base,
    New,
    HOfMeans,
    MeanOfH,
    OverZeroShot,
    Retrained,
    GainKept,
    NegativeFlips,
    PositiveFlips,
}

impl Average {
    /// The columns from Base to the share of the gain that was kept.
    pub(crate) const ACCURACIES: [Self; 7] = [
        Self::Base,
        Self::New,
        Self::HOfMeans,
        Self::MeanOfH,
        Self::OverZeroShot,
        Self::Retrained,
        Self::GainKept,
    ];

    fn head(self) -> &'static str {
        match self {
            Self::Base => "Base (source)",
            Self::New => "New (target)",
            Self::HOfMeans => "H of means",
            Self::MeanOfH => "mean of H",
            Self::OverZeroShot => "New over zero-shot",
            Self::Retrained => "retrained",
            Self::GainKept => "gain kept",
            Self::NegativeFlips => "negative flips",
            Self::PositiveFlips => "positive flips",
        }
    }

    fn of_zero_shot(self, summary: Option<&ZeroShotSummary>) -> Cell<'static> {
        let known = |number: fn(&ZeroShotSummary) -> f64| Cell::percent(summary.map(number));
        match self {
            Self::Base => known(|s| s.source),
            Self::New => known(|s| s.target),
            Self::HOfMeans => known(|s| s.h_of_means),
            Self::MeanOfH => known(|s| s.mean_of_h),
            Self::OverZeroShot
            | Self::Retrained
            | Self::GainKept
            | Self::NegativeFlips
            | Self::PositiveFlips => Cell::Blank,
        }
    }

    fn of_method(self, of: &Summary, flips: Option<&FlipRates>) -> Cell<'static> {
        match self {
            Self::Base => Cell::estimate(Some(&of.base), Unit::Percent),
            Self::New => Cell::estimate(Some(&of.new), Unit::Percent),
            Self::HOfMeans => Cell::estimate(Some(&of.h_of_means), Unit::Percent),
            Self::MeanOfH => Cell::estimate(Some(&of.mean_of_h), Unit::Percent),
            Self::OverZeroShot => Cell::estimate(Some(&of.over_zero_shot), Unit::Points),
            Self::Retrained => Cell::estimate(of.oracle.as_ref(), Unit::Percent),
            Self::GainKept => Cell::estimate(of.retention.as_ref(), Unit::Share),
            Self::NegativeFlips => Cell::percent(flips.map(FlipRates::negative)),
            Self::PositiveFlips => Cell::percent(flips.map(|flips| flips.positive)),
        }
    }
}

/// The averages of a block. A row is missing as a whole where a method has no complete data set.
pub(crate) fn averages<'a>(
    block: &Block<'a>,
    analysis: &Analysis<'_>,
    columns: &[Average],
) -> Table<'a> {
    let zero = block.zero_shot.summary.as_ref();
    let zero = columns.iter().map(|column| column.of_zero_shot(zero));
    let methods = block.methods.iter().enumerate();
    let methods = methods.map(|(at, method)| Row {
        label: method.label,
        method: Some(at),
        cells: method_cells(block, analysis, method, columns),
    });
    Table {
        heads: columns.iter().map(|one| one.head().to_owned()).collect(),
        rows: std::iter::once(Row::zero_shot(zero.collect()))
            .chain(methods)
            .collect(),
        mean: None,
    }
}

fn method_cells(
    block: &Block<'_>,
    analysis: &Analysis<'_>,
    method: &MethodRow<'_>,
    columns: &[Average],
) -> Vec<Cell<'static>> {
    let Some(summary) = &method.summary else {
        return vec![Cell::Missing(None); columns.len()];
    };
    let flips = FlipRates::mean(analysis.of_method(block.upgrade, block.shots, method.label));
    let cells = columns.iter();
    cells
        .map(|column| column.of_method(summary, flips.as_ref()))
        .collect()
}

/// What the table is of.
pub(crate) fn title(block: &Block<'_>) -> String {
    let datasets = count(block.datasets.len(), "data set", "data sets");
    match block.seeds.len() {
        0 | 1 => format!("Averages over {datasets}, in percent"),
        n => format!(
            "Averages over {datasets}, in percent, ± 95 % Student-t interval over {n} seeds"
        ),
    }
}

/// What a reader of the numbers has to know, a sentence each.
pub(crate) fn notes(block: &Block<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let summaries = || {
        block
            .methods
            .iter()
            .filter_map(|method| method.summary.as_ref())
    };
    if summaries().any(|summary| summary.new.n == 1) {
        notes.push("one seed gives no interval".to_owned());
    }
    if summaries().any(|summary| summary.retention.is_none()) {
        notes.push(
            "gain kept is n/a where the paired 95 % interval of the gain on the source includes 0"
                .to_owned(),
        );
    }
    if block.zero_shot.averaged < block.datasets.len() {
        notes.push(format!(
            "zero-shot averages over {} of {}, those where it was measured",
            block.zero_shot.averaged,
            count(block.datasets.len(), "data set", "data sets")
        ));
    }
    notes
}

/// Whether any cell of a block was trained on the target as well.
pub(crate) fn is_retrained(block: &Block<'_>) -> bool {
    let entries = block.methods.iter().flat_map(|method| &method.entries);
    let mut cells = entries.flat_map(|entry| &entry.cells);
    cells.any(|measured| measured.cell.conditions.oracle.is_some())
}
