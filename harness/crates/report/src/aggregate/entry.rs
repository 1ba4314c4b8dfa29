//! One entry of the matrix: a method on a data set, over seeds.

use crate::cell::{Cell, Status};
use crate::seeds::{Seeds, replicate_means};
use crate::stats::mean;

/// What is known of a method on a data set across an upgrade.
#[derive(Clone, Debug)]
pub struct MatrixEntry<'a> {
    /// Mean of New over the seeds that were measured; of several splits over these, each the mean
    /// of its trainings.
    pub new: Option<f64>,
    /// Mean of New - Z(t) over the seeds that were measured.
    pub over_zero_shot: Option<f64>,
    /// The cells that gave no number, by seed.
    pub problems: Vec<Problem<'a>>,
    /// The cells that were measured, by seed.
    pub cells: Vec<Measured<'a>>,
}

/// A cell that gave no number.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    pub seed: Seeds,
    /// Never [`Status::Ok`].
    pub status: &'a Status,
    /// Command line that runs the cell again; `None` when the report has no such cell.
    pub rerun: Option<&'a str>,
}

/// A cell with the three numbers that every average needs.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    pub cell: &'a Cell,
    /// A(s→s), a fraction.
    pub base: f64,
    /// Z(t), a fraction.
    pub zero_target: f64,
    /// A(s→t), a fraction.
    pub new: f64,
}

impl<'a> Measured<'a> {
    fn of(cell: &'a Cell) -> Option<Self> {
        if cell.status != Status::Ok {
            return None;
        }
        let conditions = &cell.conditions;
        Some(Self {
            cell,
            base: conditions.base.as_ref()?.accuracy,
            zero_target: conditions.zero_target.as_ref()?.accuracy,
            new: conditions.new.as_ref()?.accuracy,
        })
    }
}

impl<'a> MatrixEntry<'a> {
    /// The entry of `seeds`, of which `cells` holds what the report has.
    ///
    /// A seed without a cell, and a finished cell without its conditions, count as not run.
    pub(crate) fn of(cells: &[&'a Cell], seeds: &[Seeds]) -> Self {
        let mut measured = Vec::new();
        let mut problems = Vec::new();
        for seed in seeds {
            let cell = cells.iter().find(|cell| cell.seed == *seed);
            if let Some(numbers) = cell.and_then(|cell| Measured::of(cell)) {
                measured.push(numbers);
                continue;
            }
            let status = cell.map_or(&Status::NotRun, |cell| match &cell.status {
                Status::Ok => &Status::NotRun,
                status => status,
            });
            problems.push(Problem {
                seed: *seed,
                status,
                rerun: cell.map(|cell| cell.rerun.as_str()),
            });
        }
        let over = |number: fn(&Measured<'_>) -> f64| {
            let numbers = measured.iter().map(|one| (one.cell.seed, number(one)));
            mean(&replicate_means(numbers))
        };
        Self {
            new: over(|m| m.new),
            over_zero_shot: over(|m| m.new - m.zero_target),
            problems,
            cells: measured,
        }
    }

    /// Whether every seed was measured.
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty()
    }
}
