//! Averages over data sets: a row a method.

use crate::tables::flips::FlipRates;
use crate::tables::{Cell, Number, Row, Table, Unit};
use crate::text::{NAME, count, one_line, points, share};
use harness_report::aggregate::{Block, MethodRow, Summary, ZeroShotSummary};
use harness_report::analysis::{Analysis, AverageRatio, MethodAverages, Ratio};
use harness_report::stats::Interval;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Average {
    Base,
    New,
    HOfMeans,
    MeanOfH,
    OverZeroShot,
    Retrained,
    Recovery,
    GainKept,
    NegativeFlips,
    PositiveFlips,
}

impl Average {
    /// The columns from Base to H.
    pub(crate) const ACCURACIES: [Self; 8] = [
        Self::Base,
        Self::New,
        Self::OverZeroShot,
        Self::Retrained,
        Self::Recovery,
        Self::GainKept,
        Self::HOfMeans,
        Self::MeanOfH,
    ];

    fn head(self) -> &'static str {
        match self {
            Self::Base => "Base (source)",
            Self::New => "New (target)",
            Self::HOfMeans => "H of means",
            Self::MeanOfH => "mean of H",
            Self::OverZeroShot => "New over zero-shot",
            Self::Retrained => "retrained",
            Self::Recovery => "recovery",
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
            | Self::Recovery
            | Self::GainKept
            | Self::NegativeFlips
            | Self::PositiveFlips => Cell::Blank,
        }
    }

    fn of_method(
        self,
        of: &Summary,
        averages: Option<&MethodAverages<'_>>,
        flips: Option<&FlipRates>,
    ) -> Cell<'static> {
        match self {
            Self::Base => Cell::estimate(Some(&of.base), Unit::Percent),
            Self::New => Cell::estimate(Some(&of.new), Unit::Percent),
            Self::HOfMeans => Cell::estimate(Some(&of.h_of_means), Unit::Percent),
            Self::MeanOfH => Cell::estimate(Some(&of.mean_of_h), Unit::Percent),
            Self::OverZeroShot => Cell::estimate(Some(&of.over_zero_shot), Unit::Points),
            Self::Retrained => Cell::estimate(of.oracle.as_ref(), Unit::Percent),
            Self::Recovery => ratio(averages.and_then(|of| of.recovery.as_ref())),
            Self::GainKept => ratio(averages.and_then(|of| of.gain_kept.as_ref())),
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
    let averages = analysis.averages(block.upgrade, block.shots, method.label);
    let cells = columns.iter();
    cells
        .map(|column| column.of_method(summary, averages.as_ref(), flips.as_ref()))
        .collect()
}

/// A ratio of averages, with `†` where one data set carries it.
fn ratio(of: Option<&AverageRatio<'_>>) -> Cell<'static> {
    of.map_or(Cell::Missing(None), |of| {
        let mark = if of.carried_by.is_some() { "†" } else { "" };
        Cell::Text(format!("{}{mark}", ratio_text(&of.ratio)))
    })
}

/// `57 % [49, 66]`.
pub(crate) fn ratio_text(ratio: &Ratio) -> String {
    let whole = |fraction: f64| (fraction * 100.0).round() + 0.0;
    let interval = ratio.interval.map_or_else(String::new, |interval| {
        format!(" [{:.0}, {:.0}]", whole(interval.low), whole(interval.high))
    });
    format!("{}{interval}", share(ratio.value))
}

/// How even the averages are over data sets: a row a method.
pub(crate) fn spread<'a>(block: &Block<'a>, analysis: &Analysis<'_>) -> Table<'a> {
    let range = |of: Option<Interval>, text: fn(f64) -> String| {
        of.map_or(Cell::Missing(None), |of| {
            Cell::Text(format!("{} to {}", text(of.low), text(of.high)))
        })
    };
    let methods = block.methods.iter().enumerate();
    let rows = methods.map(|(at, method)| {
        let of = analysis.averages(block.upgrade, block.shots, method.label);
        let recovery = of.as_ref().and_then(|of| of.recovery.as_ref());
        let recovery = recovery.and_then(|of| of.without_one);
        let cells = match &of {
            None => vec![Cell::Missing(None); 6],
            Some(of) => vec![
                Cell::Number(Number::plain(of.over_zero_shot.mean, Unit::Points)),
                Cell::Number(Number::plain(of.over_zero_shot.median, Unit::Points)),
                range(of.over_zero_shot.without_one, points),
                range(recovery, share),
                Cell::Text(format!("{} of {}", of.helps, of.datasets)),
                Cell::Text(format!("{} of {}", of.harms, of.datasets)),
            ],
        };
        Row {
            label: method.label,
            method: Some(at),
            cells,
        }
    });
    let heads = [
        "New over zero-shot",
        "median",
        "without one data set",
        "recovery without one",
        "helps on",
        "hurts on",
    ];
    Table {
        heads: heads.map(String::from).into(),
        rows: rows.collect(),
        mean: None,
    }
}

/// What that table is of.
pub(crate) const SPREAD: &str =
    "How even the averages are: median, range when one data set is left out, effects shown";

/// What the table is of.
pub(crate) fn title(block: &Block<'_>) -> String {
    let datasets = count(block.datasets.len(), "data set", "data sets");
    let replicates = block.replicates();
    match replicates.count() {
        0..=2 => format!("Averages over {datasets}, in percent"),
        n => format!(
            "Averages over {datasets}, in percent, ± 95 % Student-t interval over {n} {}",
            replicates.noun()
        ),
    }
}

/// What a reader of the numbers has to know, a sentence each.
pub(crate) fn notes(block: &Block<'_>, analysis: &Analysis<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let summaries = || {
        block
            .methods
            .iter()
            .filter_map(|method| method.summary.as_ref())
    };
    if summaries().any(|summary| summary.new.n == 1) {
        notes.push(
            "one seed: no interval over seeds, and what is shown holds for these modules only"
                .to_owned(),
        );
    }
    if summaries().any(|summary| summary.new.n == 2) {
        let noun = block.replicates().noun();
        notes.push(format!(
            "two {noun} give no interval over {noun}: use three or more"
        ));
    }
    if block.replicates().is_one_split() {
        notes.push(
            "one few-shot split: intervals are over trainings on it, and what is shown holds for \
             that split only"
                .to_owned(),
        );
    }
    let methods = block.methods.iter();
    let averages = methods.filter_map(|method| {
        let of = analysis.averages(block.upgrade, block.shots, method.label)?;
        Some((method.label, of))
    });
    let averages: Vec<_> = averages.collect();
    if averages
        .iter()
        .any(|(_, of)| of.recovery.is_none() || of.gain_kept.is_none())
    {
        notes.push(
            "a ratio is n/a where its denominator was not measured or is not shown to be above 0"
                .to_owned(),
        );
    }
    for (label, of) in &averages {
        for (name, ratio) in [("recovery", &of.recovery), ("gain kept", &of.gain_kept)] {
            let carried = ratio.as_ref().and_then(|ratio| ratio.carried_by);
            if let Some((dataset, without)) = carried {
                notes.push(format!(
                    "† {name} of {} is {} without {}",
                    one_line(label, NAME),
                    share(without),
                    one_line(dataset, NAME)
                ));
            }
        }
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
