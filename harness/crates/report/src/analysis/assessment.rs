//! One method on one data set across one upgrade, over its seeds.

use crate::analysis::decide::Deciding;
use crate::analysis::recommendation::Recommendation;
use crate::analysis::retrained::Retrained;
use crate::analysis::verdict::Verdict;
use crate::cell::{Cell, Status};
use crate::metrics::{ClassRow, Flips, class_rows};
use crate::report::{Report, Upgrade};
use crate::stats::{Difference, mean};

/// What is known of a method on a data set across an upgrade, and what follows.
#[derive(Clone, Debug)]
pub struct Assessment<'a> {
    pub upgrade: &'a Upgrade,
    pub shots: u32,
    /// Label of the method.
    pub method: &'a str,
    /// Name of the data set.
    pub dataset: &'a str,
    /// The measured cells, by ascending seed.
    pub cells: Vec<&'a Cell>,
    /// The cells that gave no number, by ascending seed.
    pub missing: Vec<Missing<'a>>,
    /// New - Base; `None` where nothing was measured.
    pub against_base: Option<Difference>,
    /// New - Z(t); `None` where nothing was measured.
    pub over_zero_shot: Option<Difference>,
    /// What training on the target brings and costs; `None` where it was not done under
    /// every seed.
    pub retrained: Option<Retrained>,
    /// From Base to New, summed over seeds; `None` where nothing was measured.
    pub flips: Option<Flips>,
    /// `None` where nothing was measured and the module is not known not to fit.
    pub verdict: Option<Verdict>,
    /// Why this verdict, in one sentence without a full stop.
    pub reason: String,
    /// What would decide an inconclusive verdict.
    pub deciding: Option<Deciding>,
    pub recommendation: Recommendation,
    /// What the recommendation costs and brings, in one sentence without a full stop.
    pub advice: String,
}

/// A cell without a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Missing<'a> {
    pub seed: u64,
    pub status: &'a Status,
    /// Command line that runs the cell again.
    pub rerun: &'a str,
}

impl<'a> Assessment<'a> {
    /// A row for each class, from the labels that `report` keeps; empty where it keeps none
    /// or nothing was measured.
    pub fn classes(&self, report: &Report) -> Vec<ClassRow> {
        let mut datasets = report.datasets.iter();
        let labels = datasets
            .find(|dataset| dataset.name == self.dataset)
            .and_then(|dataset| dataset.test_labels.as_ref());
        labels.map_or_else(Vec::new, |labels| {
            class_rows(labels, self.cells.iter().copied())
        })
    }

    /// Mean over seeds of what `number` gives for a cell; `None` unless every measured cell has
    /// one.
    pub fn mean(&self, number: impl Fn(&Cell) -> Option<f64>) -> Option<f64> {
        let numbers = self.cells.iter().map(|cell| number(cell));
        mean(&numbers.collect::<Option<Vec<f64>>>()?)
    }
}
