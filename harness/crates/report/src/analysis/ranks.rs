//! Whether the order of the methods survives the upgrade.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::assessment::Assessment;
use crate::cell::Cell;
use crate::stats::{Interval, LEVEL, bootstrap_interval, kendall_tau, mean};
use crate::upgrade::Upgrade;

/// Kendall's τ-b between the methods' order by Base and their order by New.
#[derive(Clone, Debug, PartialEq)]
pub struct RankStability<'a> {
    pub upgrade: &'a Upgrade,
    pub shots: u32,
    /// The methods that are ranked, each with its averages of Base and New over `datasets` and
    /// seeds, in the report's order: those measured on every one of these data sets.
    pub methods: Vec<(&'a str, f64, f64)>,
    /// The data sets that the averages are over.
    pub datasets: Vec<&'a str>,
    /// 1 for the same order, -1 for the reverse; `None` where all are level.
    pub tau: Option<f64>,
    /// 95 % percentile bootstrap over data sets; `None` below two data sets.
    pub interval: Option<Interval>,
}

impl<'a> RankStability<'a> {
    /// `None` below two methods that can be compared.
    pub(crate) fn of(
        upgrade: &'a Upgrade,
        shots: u32,
        assessments: &[&Assessment<'a>],
    ) -> Option<Self> {
        let mut rows: BTreeMap<&str, BTreeMap<&str, (f64, f64)>> = BTreeMap::new();
        let mut order: Vec<&'a str> = Vec::new();
        let mut columns: Vec<&'a str> = Vec::new();
        for one in assessments {
            let base = one.mean(|cell: &Cell| Some(cell.conditions.base.as_ref()?.accuracy));
            let new = one.mean(|cell: &Cell| Some(cell.conditions.new.as_ref()?.accuracy));
            if !columns.contains(&one.dataset) {
                columns.push(one.dataset);
            }
            let (Some(base), Some(new), true) = (base, new, one.missing.is_empty()) else {
                continue;
            };
            if !order.contains(&one.method) {
                order.push(one.method);
            }
            let row = rows.entry(one.method).or_default();
            row.insert(one.dataset, (base, new));
        }
        // The data sets that all of them were measured on.
        let shared: BTreeSet<&str> = rows.values().fold(
            columns.iter().copied().collect(),
            |shared: BTreeSet<&str>, row| {
                shared
                    .into_iter()
                    .filter(|name| row.contains_key(name))
                    .collect()
            },
        );
        let datasets: Vec<&str> = columns.into_iter().filter(|c| shared.contains(c)).collect();
        if order.len() < 2 || datasets.is_empty() {
            return None;
        }
        let averages = |chosen: &[&str]| -> Vec<(f64, f64)> {
            let rows = order.iter().filter_map(|method| rows.get(method));
            rows.filter_map(|row| {
                let cells = chosen.iter().filter_map(|name| row.get(name).copied());
                let (base, new): (Vec<f64>, Vec<f64>) = cells.unzip();
                Some((mean(&base)?, mean(&new)?))
            })
            .collect()
        };
        let whole = averages(&datasets);
        Some(Self {
            upgrade,
            shots,
            methods: order
                .iter()
                .zip(&whole)
                .map(|(method, (base, new))| (*method, *base, *new))
                .collect(),
            tau: kendall_tau(&whole),
            interval: bootstrap_interval(&datasets, LEVEL, |chosen| kendall_tau(&averages(chosen))),
            datasets,
        })
    }

    /// The best method by Base and the best by New; of level ones the first.
    pub fn best(&self) -> Option<(&'a str, &'a str)> {
        let best = |number: fn(&(&'a str, f64, f64)) -> f64| {
            let methods = self.methods.iter().rev();
            methods
                .max_by(|a, b| number(a).total_cmp(&number(b)))
                .map(|method| method.0)
        };
        Some((best(|m| m.1)?, best(|m| m.2)?))
    }
}
