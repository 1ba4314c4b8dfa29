//! The numbers of a block: for the means and each data set a column for each metric, with a row for
//! the zero-shot and each method.

use crate::export::latex::entry::{Entry, mark};
use crate::export::latex::options::{Metric, TableOptions};
use crate::tables::averages::{Average, averages};
use crate::tables::facts::{Facts, row};
use crate::tables::{Cell, Number};
use harness_report::aggregate::Block;
use harness_report::analysis::{Analysis, Assessment, Contender, Leaders, leaders};
use harness_report::metrics::harmonic_mean;
use harness_report::{Cell as Measurement, Condition, Conditions};

/// The means, or a data set.
pub(super) struct Set {
    /// As the report brought it.
    pub(super) name: String,
    /// A column for each metric, a number for each row.
    pub(super) columns: Vec<(Metric, Vec<Entry>)>,
}

/// The means over data sets, then each data set.
pub(super) fn measured(
    block: &Block<'_>,
    analysis: &Analysis<'_>,
    options: &TableOptions,
) -> Vec<Set> {
    let mut sets = vec![means(block, analysis, options.of_means())];
    let rows: Vec<_> = block
        .methods
        .iter()
        .map(|m| row(analysis, block, m))
        .collect();
    for (at, name) in block.datasets.iter().enumerate() {
        let assessments: Vec<Option<&Assessment<'_>>> = rows
            .iter()
            .map(|row| row.get(at).copied().flatten())
            .collect();
        let zero = block.zero_shot.entries.get(at).copied().unwrap_or_default();
        let columns = options.of_dataset().iter().map(|metric| {
            let zero = match metric {
                Metric::Base => zero.source,
                Metric::New => zero.target,
                Metric::H => zero
                    .source
                    .zip(zero.target)
                    .map(|(s, t)| harmonic_mean(s, t)),
                Metric::OverZeroShot | Metric::Retrained => None,
            };
            let methods = assessments.iter().map(|of| number(*of, *metric));
            let mut entries: Vec<Entry> = std::iter::once(zero)
                .chain(methods)
                .map(Entry::number)
                .collect();
            let Leaders { highest, leads } = leading(&assessments, *metric, &entries);
            mark(entries.iter_mut(), &leads, highest);
            (*metric, entries)
        });
        sets.push(Set {
            name: (*name).to_owned(),
            columns: columns.collect(),
        });
    }
    sets
}

fn number(assessment: Option<&Assessment<'_>>, metric: Metric) -> Option<f64> {
    let facts = Facts::of(assessment?)?;
    Some(match metric {
        Metric::Base => facts.base.mean,
        Metric::New => facts.new.mean,
        Metric::OverZeroShot => facts.over_zero_shot.mean,
        Metric::Retrained => facts.oracle?.mean,
        Metric::H => facts.h.mean,
    })
}

/// What leads a data set by a metric, among the zero-shot and the methods.
fn leading(assessments: &[Option<&Assessment<'_>>], metric: Metric, entries: &[Entry]) -> Leaders {
    type Pick = for<'c> fn(&'c Conditions) -> Option<&'c Condition>;
    let (of, zero): (Pick, Option<Pick>) = match metric {
        Metric::Base => (|c| c.base.as_ref(), Some(|c| c.zero_source.as_ref())),
        Metric::New => (|c| c.new.as_ref(), Some(|c| c.zero_target.as_ref())),
        // The zero-shot is the same for all.
        Metric::OverZeroShot => (|c| c.new.as_ref(), None),
        Metric::Retrained => (|c| c.oracle.as_ref(), None),
        // A harmonic mean of two accuracies is not tested.
        Metric::H => return untested(entries),
    };
    let of_zero = zero.and_then(|zero| {
        // The zero-shot is the same in the cells of every method.
        let first = assessments
            .iter()
            .map(|one| cells(*one))
            .find(|cells| !cells.is_empty());
        Contender::of(&first?, zero)
    });
    let methods = assessments
        .iter()
        .map(|one| Contender::of(&cells(*one), of));
    leaders(&std::iter::once(of_zero).chain(methods).collect::<Vec<_>>())
}

fn cells<'c>(of: Option<&Assessment<'c>>) -> Vec<&'c Measurement> {
    of.map_or_else(Vec::new, |of| of.cells.clone())
}

fn untested(entries: &[Entry]) -> Leaders {
    let numbers = entries.iter().enumerate();
    let numbers = numbers.filter_map(|(at, entry)| Some((at, entry.value?)));
    Leaders {
        highest: numbers.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at),
        leads: entries.iter().map(|entry| entry.value.is_some()).collect(),
    }
}

fn means(block: &Block<'_>, analysis: &Analysis<'_>, metrics: &[Metric]) -> Set {
    let columns: Vec<Average> = metrics.iter().map(|metric| average(*metric)).collect();
    let table = averages(block, analysis, &columns);
    let columns = metrics.iter().enumerate().map(|(at, metric)| {
        let cells = table.rows.iter().map(|row| row.cells.get(at));
        let mut entries: Vec<Entry> = cells.map(entry).collect();
        let Leaders { highest, leads } = reaching(&entries);
        mark(entries.iter_mut(), &leads, highest);
        (*metric, entries)
    });
    Set {
        name: format!("mean of {} data sets", block.datasets.len()),
        columns: columns.collect(),
    }
}

fn average(metric: Metric) -> Average {
    match metric {
        Metric::Base => Average::Base,
        Metric::New => Average::New,
        Metric::OverZeroShot => Average::OverZeroShot,
        Metric::Retrained => Average::Retrained,
        Metric::H => Average::MeanOfH,
    }
}

fn entry(cell: Option<&Cell<'_>>) -> Entry {
    match cell {
        Some(Cell::Number(Number {
            value, half_width, ..
        })) => Entry {
            half_width: *half_width,
            ..Entry::number(Some(*value))
        },
        _ => Entry::default(),
    }
}

/// What leads a column of means: the highest, and those whose interval reaches its interval. Without
/// an interval nothing is shown.
fn reaching(entries: &[Entry]) -> Leaders {
    let all = untested(entries);
    let highest = all.highest.and_then(|at| entries.get(at));
    let low = highest.and_then(|entry| Some(entry.value? - entry.half_width?));
    let Some(low) = low else {
        return all;
    };
    // What nothing was drawn for, as the zero-shot, has no interval: its value is its end.
    let reaches = |entry: &Entry| {
        let end = entry
            .value
            .map(|value| value + entry.half_width.unwrap_or(0.0));
        end.is_some_and(|end| end >= low)
    };
    Leaders {
        leads: entries.iter().map(reaches).collect(),
        ..all
    }
}
