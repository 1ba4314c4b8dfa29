//! All rows of one upgrade and number of shots.

use std::collections::{BTreeMap, BTreeSet};

use crate::aggregate::entry::MatrixEntry;
use crate::aggregate::summary::{Summary, ZeroShotSummary};
use crate::cell::Cell;
use crate::report::Report;
use crate::upgrade::Upgrade;

/// What the tables of one upgrade and number of shots show.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    pub upgrade: &'a Upgrade,
    pub shots: u32,
    /// Every seed of every method, ascending.
    pub seeds: Vec<u64>,
    /// Columns, in the report's order.
    pub datasets: Vec<&'a str>,
    pub zero_shot: ZeroShotRow,
    /// In the report's order.
    pub methods: Vec<MethodRow<'a>>,
}

/// The zero-shot of both backbones, the same whatever the method.
#[derive(Clone, Debug)]
pub struct ZeroShotRow {
    /// One a column.
    pub entries: Vec<ZeroShot>,
    /// Over the columns where both are known.
    pub summary: Option<ZeroShotSummary>,
    /// Number of columns that the summary is over.
    pub averaged: usize,
}

/// The zero-shot on one data set; `None` where no cell measured it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ZeroShot {
    /// Z(s).
    pub source: Option<f64>,
    /// Z(t).
    pub target: Option<f64>,
}

/// A method's row.
#[derive(Clone, Debug)]
pub struct MethodRow<'a> {
    pub label: &'a str,
    /// One a column.
    pub entries: Vec<MatrixEntry<'a>>,
    /// Over the columns whose entry is complete; `None` where there is none.
    pub summary: Option<Summary>,
    /// Columns that the summary is over.
    pub averaged: Vec<usize>,
}

/// The report's cells by upgrade and shots, in the report's order of upgrades and
/// ascending shots.
pub fn blocks(report: &Report) -> Vec<Block<'_>> {
    let mut cells: BTreeMap<(usize, u32), Vec<&Cell>> = BTreeMap::new();
    for cell in &report.cells {
        if let Some(upgrade) = report.upgrades.iter().position(|u| *u == cell.upgrade) {
            cells.entry((upgrade, cell.shots)).or_default().push(cell);
        }
    }
    cells
        .into_iter()
        .map(|((upgrade, shots), cells)| block(report, &report.upgrades[upgrade], shots, &cells))
        .collect()
}

fn block<'a>(
    report: &'a Report,
    upgrade: &'a Upgrade,
    shots: u32,
    cells: &[&'a Cell],
) -> Block<'a> {
    let mut by_row: BTreeMap<&str, BTreeMap<&str, Vec<&Cell>>> = BTreeMap::new();
    for cell in cells {
        let row = by_row.entry(&cell.method).or_default();
        row.entry(&cell.dataset).or_default().push(cell);
    }
    let present: BTreeSet<&str> = cells.iter().map(|cell| cell.dataset.as_str()).collect();
    let names = report.datasets.iter().map(|dataset| dataset.name.as_str());
    let datasets: Vec<&str> = names.filter(|name| present.contains(name)).collect();
    let labels = report.methods.iter().map(|method| method.label.as_str());
    let methods = labels
        .filter_map(|label| Some(method_row(label, by_row.get(label)?, &datasets)))
        .collect();
    let seeds: BTreeSet<u64> = cells.iter().map(|cell| cell.seed).collect();
    Block {
        upgrade,
        shots,
        seeds: seeds.into_iter().collect(),
        zero_shot: zero_shot_row(cells, &datasets),
        datasets,
        methods,
    }
}

fn method_row<'a>(
    label: &'a str,
    cells: &BTreeMap<&str, Vec<&'a Cell>>,
    datasets: &[&str],
) -> MethodRow<'a> {
    let seeds: BTreeSet<u64> = cells.values().flatten().map(|cell| cell.seed).collect();
    let seeds: Vec<u64> = seeds.into_iter().collect();
    let entries: Vec<MatrixEntry<'_>> = datasets
        .iter()
        .map(|name| MatrixEntry::of(cells.get(name).map_or(&[][..], Vec::as_slice), &seeds))
        .collect();
    let averaged: Vec<usize> = (0..entries.len())
        .filter(|column| entries[*column].is_complete())
        .collect();
    let complete: Vec<&MatrixEntry<'_>> = averaged.iter().map(|column| &entries[*column]).collect();
    MethodRow {
        label,
        summary: Summary::of(&complete),
        averaged,
        entries,
    }
}

fn zero_shot_row(cells: &[&Cell], datasets: &[&str]) -> ZeroShotRow {
    let mut known: BTreeMap<&str, ZeroShot> = BTreeMap::new();
    for cell in cells {
        let zero = known.entry(&cell.dataset).or_default();
        let (source, target) = (&cell.conditions.zero_source, &cell.conditions.zero_target);
        zero.source = zero.source.or(source.as_ref().map(|c| c.accuracy));
        zero.target = zero.target.or(target.as_ref().map(|c| c.accuracy));
    }
    let entries: Vec<ZeroShot> = datasets
        .iter()
        .map(|name| known.get(name).copied().unwrap_or_default())
        .collect();
    let pairs: Vec<(f64, f64)> = entries
        .iter()
        .filter_map(|zero| Some((zero.source?, zero.target?)))
        .collect();
    ZeroShotRow {
        summary: ZeroShotSummary::of(&pairs),
        averaged: pairs.len(),
        entries,
    }
}
