//! A report beside an older one: New before and after, by method and data set.

use crate::export::{MESSAGE, NAME};
use crate::text::{NOT_AVAILABLE, count, one_line, percent, points};
use harness_report::gate::{Comparison, Judgement, Outcome, judge};
use harness_report::stats::{Crossed, LEVEL};
use harness_report::{Report, Upgrade};

/// Everything that can be compared of two reports.
pub(crate) struct Compared<'a> {
    /// Which report the older one is.
    pub(crate) name: String,
    judgement: Judgement<'a>,
}

/// The comparisons of one upgrade and number of shots.
pub(crate) struct Table<'c> {
    pub(crate) heading: String,
    /// Data sets.
    pub(crate) columns: Vec<&'c str>,
    /// Methods, each with what there is for every column.
    pub(crate) rows: Vec<(&'c str, Vec<Option<&'c Comparison<'c>>>)>,
}

impl<'a> Compared<'a> {
    pub(crate) fn of(report: &'a Report, old: &'a Report) -> Self {
        let rule = report.suite.gate.unwrap_or_default();
        Self {
            name: format!(
                "{} of {}",
                one_line(&old.suite.name, NAME),
                one_line(&old.provenance.started, NAME)
            ),
            judgement: judge(report, old, rule, |_| true),
        }
    }

    /// The comparison in a sentence.
    pub(crate) fn sentence(&self) -> String {
        let all = &self.judgement.comparisons;
        let towards = |direction| {
            all.iter()
                .filter(|one| one.direction() == direction)
                .count()
        };
        format!(
            "Of {}, New is better in {}, worse in {} and unchanged in {}; the rest are \
             inconclusive.",
            count(all.len(), "cell", "cells"),
            towards(1),
            towards(-1),
            self.judgement.count(Outcome::Unchanged)
        )
    }

    /// In which inputs the two differ, and what was not compared.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mismatches = self.judgement.mismatches.iter();
        let mut warnings: Vec<String> = mismatches
            .map(|mismatch| one_line(&mismatch.to_string(), MESSAGE))
            .collect();
        if self.judgement.without_baseline > 0 {
            let cells = count(self.judgement.without_baseline, "cell", "cells");
            warnings.push(format!(
                "{cells} not compared: no number in the older report"
            ));
        }
        warnings
    }

    pub(crate) fn tables(&self) -> Vec<Table<'_>> {
        let mut tables: Vec<Table<'_>> = Vec::new();
        let mut places: Vec<(&Upgrade, u32)> = Vec::new();
        let all = &self.judgement.comparisons;
        for one in all {
            if !places.contains(&(one.upgrade, one.shots)) {
                places.push((one.upgrade, one.shots));
            }
        }
        for (upgrade, shots) in places {
            let here = || {
                let all = all.iter();
                all.filter(move |one| (one.upgrade, one.shots) == (upgrade, shots))
            };
            let columns = distinct(here().map(|one| one.dataset));
            let rows = distinct(here().map(|one| one.method)).into_iter();
            let rows = rows.map(|method| {
                let entries = columns.iter().map(|dataset| {
                    here().find(|one| one.method == method && one.dataset == *dataset)
                });
                (method, entries.collect())
            });
            tables.push(Table {
                heading: format!(
                    "{} → {}, {}",
                    one_line(&upgrade.source, NAME),
                    one_line(&upgrade.target, NAME),
                    count(shots as usize, "shot", "shots")
                ),
                rows: rows.collect(),
                columns,
            });
        }
        tables
    }
}

/// Each name once, in the order of its first.
fn distinct<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

/// New before and after.
pub(crate) fn numbers(one: &Comparison<'_>) -> String {
    let after = one.after.map_or(NOT_AVAILABLE.to_owned(), percent);
    format!("{} → {after}", percent(one.before))
}

/// The difference with its interval, or the word for what there is instead.
pub(crate) fn change(one: &Comparison<'_>) -> String {
    let Some(difference) = &one.difference else {
        return one.outcome.word().to_owned();
    };
    if one.outcome == Outcome::Unchanged {
        return "unchanged".to_owned();
    }
    let hull = difference.interval(LEVEL, None);
    let end = |fraction: f64| format!("{:+.2}", (fraction * 1e4).round() / 100.0 + 0.0);
    let sure = if one.direction() == 0 { "?" } else { "" };
    format!(
        "{}{sure} [{}, {}]",
        points(difference.value),
        end(hull.low),
        end(hull.high)
    )
}
