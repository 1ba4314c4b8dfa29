//! All cells of a report against a baseline.

use std::collections::BTreeMap;

use crate::cell::{Cell, Status};
use crate::exit_code::ExitCode;
use crate::gate::comparison::{Comparison, Outcome};
use crate::gate::mismatch::{Mismatch, key, mismatches, same_data};
use crate::report::{GateRule, Report};
use crate::stats::{Difference, holm};

/// What a gate found.
#[derive(Clone, Debug)]
pub struct Judgement<'a> {
    pub rule: GateRule,
    /// In the baseline's order.
    pub comparisons: Vec<Comparison<'a>>,
    /// In which inputs the two differ. Without any, the numbers are comparable.
    pub mismatches: Vec<Mismatch>,
    /// Cells of the report that the baseline has no number for.
    pub without_baseline: usize,
    pub suite: &'a str,
}

impl Judgement<'_> {
    /// Number of comparisons with an outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        let outcomes = self.comparisons.iter().map(|one| one.outcome);
        outcomes.filter(|found| *found == outcome).count()
    }

    /// What the process ends with; `is_strict` makes inconclusive cells count.
    pub fn exit_code(&self, is_strict: bool) -> ExitCode {
        let codes = self
            .comparisons
            .iter()
            .map(|one| one.outcome.exit_code(is_strict));
        codes.fold(ExitCode::Ok, ExitCode::worst)
    }

    /// The comparisons that make the exit status 100.
    pub fn regressions(&self) -> impl Iterator<Item = &Comparison<'_>> {
        let comparisons = self.comparisons.iter();
        comparisons.filter(|one| matches!(one.outcome, Outcome::Regressed | Outcome::Unfit))
    }
}

/// Compares the cells that `wanted` accepts.
///
/// A cell *regressed* when a loss is shown (mid-p McNemar and, over seeds, Student's t) and a loss of
/// the margin or more is not ruled out (Tango's score and Student's t); it *passed* when such a
/// loss is ruled out. Each of the two claims holds its error over all cells at α by
/// Holm's correction. Cells whose images all stayed on their side are not tested: there is
/// nothing to decide.
pub fn judge<'a>(
    report: &'a Report,
    baseline: &'a Report,
    rule: GateRule,
    wanted: impl Fn(&Cell) -> bool,
) -> Judgement<'a> {
    let old: BTreeMap<_, &Cell> = baseline
        .cells
        .iter()
        .filter(|cell| wanted(cell))
        .map(|cell| (key(cell), cell))
        .collect();
    let mut groups: Vec<Vec<(&Cell, &Cell)>> = Vec::new();
    let mut without_baseline = 0;
    for new in report.cells.iter().filter(|cell| wanted(cell)) {
        let Some(before) = old.get(&key(new)) else {
            without_baseline += 1;
            continue;
        };
        if before.status != Status::Ok && new.status == Status::Ok {
            without_baseline += 1;
        }
        let is_same = |group: &&mut Vec<(&Cell, &Cell)>| {
            let other = group
                .first()
                .map(|(cell, _)| (&cell.upgrade, cell.shots, &cell.method, &cell.dataset));
            other == Some((&new.upgrade, new.shots, &new.method, &new.dataset))
        };
        match groups.iter_mut().find(is_same) {
            Some(group) => group.push((before, new)),
            None => groups.push(vec![(before, new)]),
        }
    }
    let comparisons = groups.iter().filter_map(|pairs| {
        let (cell, _) = pairs.first()?;
        Comparison::of(pairs, same_data(report, baseline, &cell.dataset))
    });
    let mut comparisons: Vec<Comparison<'_>> = comparisons.collect();
    test(&mut comparisons, rule);
    Judgement {
        rule,
        comparisons,
        mismatches: mismatches(report, baseline, wanted),
        without_baseline,
        suite: &report.suite.path,
    }
}

/// Tests what changed and can be tested: those without an outcome of their own.
fn test(comparisons: &mut [Comparison<'_>], rule: GateRule) {
    let open: Vec<usize> = (0..comparisons.len())
        .filter(|index| comparisons[*index].outcome == Outcome::Inconclusive)
        .collect();
    let differences: Vec<Difference> = open
        .iter()
        .filter_map(|index| comparisons[*index].difference.clone())
        .collect();
    let worse: Vec<f64> = differences.iter().map(Difference::p_worse).collect();
    let worse = holm(&worse);
    let inferior = inferior(&differences, rule.fraction());
    for (at, index) in open.into_iter().enumerate() {
        let one = &mut comparisons[index];
        one.p_worse = Some(worse[at]);
        one.p_inferior = Some(inferior[at]);
        if inferior[at] < rule.alpha {
            one.outcome = Outcome::Passed;
        } else if worse[at] < rule.alpha {
            one.outcome = Outcome::Regressed;
            one.smallest_margin = smallest_margin(&differences, at, rule);
        }
    }
}

fn inferior(differences: &[Difference], margin: f64) -> Vec<f64> {
    let p_values: Vec<f64> = differences.iter().map(|d| d.p_inferior(margin)).collect();
    holm(&p_values)
}

/// The smallest margin, in whole hundredths of a point, with which one of the cells passes among
/// all of them; `None` where no margin up to everything does.
fn smallest_margin(differences: &[Difference], at: usize, rule: GateRule) -> Option<f64> {
    let passes = |hundredths: u32| {
        inferior(differences, f64::from(hundredths) / 1e4)
            .get(at)
            .is_some_and(|p| *p < rule.alpha)
    };
    let (mut low, mut high) = (0, 10_000);
    if !passes(high) {
        return None;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if passes(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(f64::from(high) / 1e4)
}
