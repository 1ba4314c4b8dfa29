//! Modules along a chain of upgrades: their gain on each backbone, and what each step changed.

use crate::tables::{Cell, Number, Row, Table, Unit};
use crate::text::{NAME, count, list, one_line, points};
use harness_report::analysis::{ChainAnalysis, ChainRow, Step, StepClaim};
use harness_report::stats::mean;

/// Modules that a sentence names.
const NAMED: usize = 3;

/// `a → b → c, 16 shots`.
pub(crate) fn heading(chain: &ChainAnalysis<'_>) -> String {
    let names = chain.backbones.iter().map(|name| one_line(name, NAME));
    format!(
        "{}, {}",
        names.collect::<Vec<_>>().join(" → "),
        count(chain.shots as usize, "shot", "shots")
    )
}

/// What the tables are of.
pub(crate) const TITLE: &str = "Points over each backbone's zero-shot, and what the step to it \
     changed (* shown over all steps, methods and data sets of the chain)";

/// A row for each method, data set and backbone that modules were trained on.
pub(crate) fn chain<'a>(chain: &ChainAnalysis<'a>) -> Table<'a> {
    let rows = chain.rows.iter().map(|row| Row {
        label: row.method,
        method: None,
        cells: [row.dataset, &chain.backbones[row.trained_on]]
            .map(|text| Cell::Text(text.to_owned()))
            .into_iter()
            .chain((0..chain.backbones.len()).map(|at| stop(row, at)))
            .collect(),
    });
    table(chain, "data set", rows.collect())
}

/// The same as means over data sets, with the number of data sets on which a step is shown to have
/// lost; `None` where no method has several.
pub(crate) fn by_method<'a>(chain: &ChainAnalysis<'a>) -> Option<Table<'a>> {
    let mut groups: Vec<Vec<&ChainRow<'a>>> = Vec::new();
    for row in &chain.rows {
        let of = |group: &&mut Vec<&ChainRow<'_>>| {
            (group[0].method, group[0].trained_on) == (row.method, row.trained_on)
        };
        match groups.iter_mut().find(of) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    if groups.iter().all(|group| group.len() == 1) {
        return None;
    }
    let rows = groups.iter().map(|group| Row {
        label: group[0].method,
        method: None,
        cells: [
            group.len().to_string(),
            chain.backbones[group[0].trained_on].clone(),
        ]
        .map(Cell::Text)
        .into_iter()
        .chain((0..chain.backbones.len()).map(|at| mean_stop(group, at)))
        .collect(),
    });
    Some(table(chain, "data sets", rows.collect()))
}

fn table<'a>(chain: &ChainAnalysis<'_>, datasets: &str, rows: Vec<Row<'a>>) -> Table<'a> {
    let heads = [datasets, "trained on"].map(str::to_owned).into_iter();
    Table {
        heads: heads.chain(chain.backbones.iter().cloned()).collect(),
        rows,
        mean: None,
    }
}

fn stop<'a>(row: &ChainRow<'_>, at: usize) -> Cell<'a> {
    if at < row.trained_on {
        return Cell::Blank;
    }
    let stop = row.stop(at).copied().unwrap_or_default();
    let Some(gain) = stop.gain else {
        return Cell::Missing(None);
    };
    Cell::Stop {
        gain: Number::plain(gain.value, Unit::Points),
        change: stop.step.map(|step| {
            let mark = match step.claim {
                StepClaim::Lost | StepClaim::Gained => "*",
                StepClaim::Open => "",
            };
            format!("{}{mark}", points(step.change.value))
        }),
    }
}

/// The mean over the data sets that have a number.
fn mean_stop<'a>(rows: &[&ChainRow<'_>], at: usize) -> Cell<'a> {
    if rows.iter().all(|row| at < row.trained_on) {
        return Cell::Blank;
    }
    let stops: Vec<_> = rows.iter().filter_map(|row| row.stop(at)).collect();
    let gains: Vec<f64> = stops
        .iter()
        .filter_map(|stop| Some(stop.gain?.value))
        .collect();
    let Some(gain) = mean(&gains) else {
        return Cell::Missing(None);
    };
    let steps: Vec<Step> = stops.iter().filter_map(|stop| stop.step).collect();
    let changes: Vec<f64> = steps.iter().map(|step| step.change.value).collect();
    let lost = steps.iter().filter(|step| step.claim == StepClaim::Lost);
    let lost = match lost.count() {
        0 => String::new(),
        lost => format!(", {lost}*"),
    };
    Cell::Stop {
        gain: Number::plain(gain, Unit::Points),
        change: mean(&changes).map(|change| format!("{}{lost}", points(change))),
    }
}

/// What the number behind the mean of a step is.
pub(crate) const BY_METHOD: &str =
    "Means over data sets; behind a step the number of data sets with a loss that is shown";

/// Which step lost what, and whether modules that were trained in between serve the last
/// backbone.
pub(crate) fn sentences(chain: &ChainAnalysis<'_>) -> Vec<String> {
    let name = |at: usize| one_line(&chain.backbones[at], NAME);
    let last = chain.backbones.len().saturating_sub(1);
    let steps = (1..=last).filter_map(|at| {
        let rows = chain.rows.iter();
        let mut measured: Vec<(&ChainRow<'_>, Step)> = rows
            .filter_map(|row| Some((row, row.stop(at)?.step?)))
            .collect();
        measured.sort_by(|(_, a), (_, b)| a.change.value.total_cmp(&b.change.value));
        let of = |claim: StepClaim| measured.iter().filter(move |(_, step)| step.claim == claim);
        let lost = of(StepClaim::Lost).count();
        let worst = of(StepClaim::Lost).take(NAMED).map(|(row, step)| {
            format!(
                "{} {:+.2} [{:+.2}, {:+.2}]",
                module(chain, row),
                100.0 * step.change.value,
                100.0 * step.change.interval.low,
                100.0 * step.change.interval.high
            )
        });
        let worst = worst.collect::<Vec<_>>().join("; ");
        let named = match lost {
            0 => String::new(),
            lost if lost > NAMED => format!(", most of all {worst}"),
            _ => format!(": {worst}"),
        };
        (!measured.is_empty()).then(|| {
            format!(
                "{} → {}: {lost} of {} lost gain, {} gained, {} open{named}",
                name(at - 1),
                name(at),
                count(measured.len(), "module", "modules"),
                of(StepClaim::Gained).count(),
                of(StepClaim::Open).count(),
            )
        })
    });
    let between = (1..last).filter_map(|at| {
        let rows = chain.trained_on(at);
        let rows: Vec<&ChainRow<'_>> = rows
            .filter(|row| row.stop(last).is_some_and(|stop| stop.gain.is_some()))
            .collect();
        let helps: Vec<&&ChainRow<'_>> = rows
            .iter()
            .filter(|row| row.stop(last).is_some_and(|stop| stop.helps))
            .collect();
        let harms = rows
            .iter()
            .filter(|row| row.stop(last).is_some_and(|stop| stop.harms))
            .count();
        let named: Vec<String> = helps
            .iter()
            .map(|row| {
                format!(
                    "{} on {}",
                    one_line(row.method, NAME),
                    one_line(row.dataset, NAME)
                )
            })
            .collect();
        let named = match named.len() {
            0 => String::new(),
            few if few <= NAMED => format!(": {}", list(&named)),
            _ => String::new(),
        };
        (!rows.is_empty()).then(|| {
            format!(
                "trained on {}, moved to {}: {} of {} help, {harms} hurt, {} open{named}",
                name(at),
                name(last),
                helps.len(),
                count(rows.len(), "module", "modules"),
                rows.len() - helps.len() - harms,
            )
        })
    });
    steps.chain(between).collect()
}

/// `coop on digits`, and where it was trained unless that is the first backbone.
fn module(chain: &ChainAnalysis<'_>, row: &ChainRow<'_>) -> String {
    let of = match row.trained_on {
        0 => String::new(),
        at => format!(" of {}", one_line(&chain.backbones[at], NAME)),
    };
    format!(
        "{} on {}{of}",
        one_line(row.method, NAME),
        one_line(row.dataset, NAME)
    )
}
