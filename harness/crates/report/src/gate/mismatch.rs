//! In which inputs two reports differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::cell::Cell;
use crate::report::{Report, Upgrade};

/// One difference that makes numbers incomparable: what was run, on which data, in which
/// backbone. What a comparison is there to judge, the plugins, is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mismatch {
    /// What differs, such as `data set "dtd"`.
    pub location: String,
    pub problem: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.problem)
    }
}

/// A cell's coordinates.
type Key<'a> = (&'a Upgrade, u32, &'a str, &'a str, u64);

pub(super) fn key(cell: &Cell) -> Key<'_> {
    (
        &cell.upgrade,
        cell.shots,
        &cell.method,
        &cell.dataset,
        cell.seed,
    )
}

/// Every difference between the inputs of `report` and `baseline`, as far as the cells of the
/// baseline that `wanted` accepts are concerned. Cells that only the report has are no
/// mismatch: they have nothing to be compared with.
pub fn mismatches(
    report: &Report,
    baseline: &Report,
    wanted: impl Fn(&Cell) -> bool,
) -> Vec<Mismatch> {
    let mut found = BTreeSet::new();
    let mut find = |location: String, problem: String| {
        found.insert(Mismatch { location, problem });
    };
    let here: BTreeMap<Key<'_>, &Cell> = report.cells.iter().map(|c| (key(c), c)).collect();
    for old in baseline.cells.iter().filter(|cell| wanted(cell)) {
        let Some(new) = here.get(&key(old)) else {
            find(
                "cells".to_owned(),
                format!(
                    "{} on {} across {} → {} with {} shots and seed {} is only in the baseline",
                    old.method,
                    old.dataset,
                    old.upgrade.source,
                    old.upgrade.target,
                    old.shots,
                    old.seed
                ),
            );
            continue;
        };
        for name in [&old.upgrade.source, &old.upgrade.target] {
            let hash = |report: &Report| {
                let mut backbones = report.backbones.iter();
                let found = backbones.find(|backbone| backbone.name == *name)?;
                Some(found.sha256.clone())
            };
            if hash(report) != hash(baseline) {
                find(format!("backbone {name:?}"), "different files".to_owned());
            }
        }
        if !same_data(report, baseline, &old.dataset) {
            find(
                format!("data set {:?}", old.dataset),
                "different images, labels, class names or templates".to_owned(),
            );
        }
        let method = |report: &Report| {
            let mut methods = report.methods.iter();
            let found = methods.find(|method| method.label == old.method)?;
            let (config, module) = (found.config.clone(), found.module_sha256.clone());
            Some((found.id.clone(), config, module))
        };
        if method(report) != method(baseline) {
            find(
                format!("method {:?}", old.method),
                "different id, configuration or module file".to_owned(),
            );
        }
        if let (Some(before), Some(after)) = (&old.training, &new.training) {
            if before.recipe != after.recipe {
                find(
                    format!("method {:?}", old.method),
                    "different recipe".to_owned(),
                );
            }
            if before.picks_sha256 != after.picks_sha256 {
                find(
                    format!("data set {:?}", old.dataset),
                    format!("different training images drawn with seed {}", old.seed),
                );
            }
        }
    }
    found.into_iter().collect()
}

/// Whether both reports tested on the same images of a data set.
pub(super) fn same_data(report: &Report, baseline: &Report, name: &str) -> bool {
    let hash = |report: &Report| {
        let mut datasets = report.datasets.iter();
        let found = datasets.find(|dataset| dataset.name == name)?;
        Some(found.manifest_sha256.clone())
    };
    hash(report) == hash(baseline)
}
