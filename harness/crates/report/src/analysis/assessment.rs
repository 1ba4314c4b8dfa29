//! One method on one data set across one upgrade, over its seeds.

use crate::analysis::claims::Claim;
use crate::analysis::decide::Deciding;
use crate::analysis::effect::{Effect, Ratio};
use crate::analysis::recommendation::Recommendation;
use crate::analysis::verdict::Verdict;
use crate::cell::{Cell, Status};
use crate::metrics::{ClassRow, Flips, class_rows};
use crate::report::Report;
use crate::stats::{Contrast, mean};
use crate::upgrade::Upgrade;

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
    /// New - Z(t); `None` where nothing was measured.
    pub over_zero_shot: Option<Effect>,
    /// Base - Z(s).
    pub source_gain: Option<Effect>,
    /// (New - Z(t)) - (Base - Z(s)).
    pub gain_change: Option<Effect>,
    /// What training on the target brings and costs; `None` where it was not measured.
    pub retrained: Option<Retrained>,
    /// (New - Z(t)) / (retrained - Z(t)); `None` where the denominator is not shown to be above 0.
    pub recovery: Option<Ratio>,
    /// (New - Z(t)) / (Base - Z(s)), likewise.
    pub gain_kept: Option<Ratio>,
    /// (New - Base) / (retrained - Base), likewise (Shen et al. 2020).
    pub update_gain: Option<Ratio>,
    /// What the ratios are of, for their averages.
    pub(super) contrasts: Contrasts,
    /// From Base to New, summed over seeds; `None` where nothing was measured.
    pub flips: Option<Flips>,
    /// Whether New is above the target's zero-shot; refuted where it is less than the margin
    /// above. `None` where nothing was measured.
    pub helps: Option<Claim>,
    /// Whether New is shown to be less than the margin above the target's zero-shot.
    pub helps_little: bool,
    /// Whether New is shown to be below the target's zero-shot.
    pub harms: bool,
    /// Whether retraining is worth its cost; `None` where it was not measured.
    pub retraining_pays: Option<Claim>,
    /// `None` where nothing was measured and the module is not known not to fit.
    pub verdict: Option<Verdict>,
    /// Why this verdict, in one sentence without a full stop.
    pub reason: String,
    pub recommendation: Recommendation,
    /// What would decide the open claim of the recommendation.
    pub deciding: Option<Deciding>,
    /// What the recommendation costs and brings, in one sentence without a full stop.
    pub advice: String,
}

/// Numerators and denominators of ratios; `None` where one of them was not measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Contrasts {
    pub(super) recovery: Option<Contrast>,
    pub(super) gain_kept: Option<Contrast>,
}

/// What training on the target brings and costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retrained {
    /// A(t→t) - A(s→t); `None` where the module does not fit the target.
    pub over_new: Option<Effect>,
    /// A(t→t) - Z(t).
    pub over_zero_shot: Effect,
    /// Mean wall-clock seconds of a training.
    pub seconds: f64,
    /// Whether the seconds were measured on the target; else they are those of the training
    /// on the source. 0 where neither is known.
    pub is_measured: bool,
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

    /// Whether one seed speaks for all: what is claimed holds for these modules only.
    pub fn is_one_seed(&self) -> bool {
        self.cells.len() == 1
    }
}
