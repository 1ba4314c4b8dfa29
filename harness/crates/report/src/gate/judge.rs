//! All cells of a report against a baseline.

use std::collections::BTreeMap;

use crate::cell::{Cell, Status};
use crate::exit_code::ExitCode;
use crate::gate::claim::{Claim, moderated};
use crate::gate::comparison::{Comparison, Outcome};
use crate::gate::evidence::Evidence;
use crate::gate::method::{MethodComparison, claims};
use crate::gate::mismatch::{Mismatch, changed_plugins, key, mismatches, same_data};
use crate::report::{GateRule, Report};
use crate::stats::{SampleVariance, holm};

/// The part of alpha that claims about methods may spend. A mean over data sets is precise, so that
/// little is enough; cells need the rest.
const METHOD_SHARE: f64 = 0.2;

/// What a gate found.
#[derive(Clone, Debug)]
pub struct Judgement<'a> {
    pub rule: GateRule,
    /// In the baseline's order.
    pub comparisons: Vec<Comparison<'a>>,
    /// Methods with several data sets of which at least one changed.
    pub methods: Vec<MethodComparison<'a>>,
    /// In which inputs the two differ. Without any, the numbers are comparable.
    pub mismatches: Vec<Mismatch>,
    /// Cells of the report that the baseline has no number for.
    pub without_baseline: usize,
    /// Plugins that are other files than in the baseline, with their hashes and versions.
    pub changed_plugins: Vec<String>,
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
        let code = codes.fold(ExitCode::Ok, ExitCode::worst);
        match self.regressed_methods().next() {
            Some(_) => code.worst(ExitCode::Regression),
            None => code,
        }
    }

    /// The methods that lost over their data sets as a whole.
    pub fn regressed_methods(&self) -> impl Iterator<Item = &MethodComparison<'_>> {
        let methods = self.methods.iter();
        methods.filter(|one| one.outcome == Outcome::Regressed)
    }

    /// Whether more than half of the changed cells are inconclusive: such a gate sees little.
    pub fn is_mostly_inconclusive(&self) -> bool {
        let open = self.count(Outcome::Inconclusive);
        2 * open > open + self.count(Outcome::Passed) + self.count(Outcome::Regressed)
    }

    /// The comparisons that make the exit status 100.
    pub fn regressions(&self) -> impl Iterator<Item = &Comparison<'_>> {
        let comparisons = self.comparisons.iter();
        comparisons.filter(|one| matches!(one.outcome, Outcome::Regressed | Outcome::Unfit))
    }
}

/// Compares the cells that `wanted` accepts.
///
/// A cell or a method *regressed* when a loss is shown and a loss of the margin or more is not
/// ruled out; it *passed* when such a loss is ruled out. Each of the two kinds of claims holds its
/// family-wise error rate at alpha: Holm's correction over methods at a fifth of alpha and over cells at
/// the rest, or over cells at alpha where no method has several data sets. Cells whose images
/// all stayed on their side are not tested: there is nothing to decide, and their seeds say
/// nothing about how much trainings scatter.
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
        let dataset = report.datasets.iter().find(|d| d.name == cell.dataset);
        let training = dataset.and_then(|dataset| dataset.shift_of.as_ref());
        let training: &str = training.unwrap_or(&cell.dataset);
        Comparison::of(pairs, same_data(report, baseline, &cell.dataset), training)
    });
    let mut comparisons: Vec<Comparison<'_>> = comparisons.collect();
    let methods = test(&mut comparisons, rule);
    Judgement {
        rule,
        comparisons,
        methods,
        mismatches: mismatches(report, baseline, wanted),
        without_baseline,
        changed_plugins: changed_plugins(report, baseline),
        suite: &report.suite.path,
    }
}

/// Tests what changed and can be tested: cells without an outcome of their own, and the methods
/// that they belong to.
fn test<'a>(comparisons: &mut [Comparison<'a>], rule: GateRule) -> Vec<MethodComparison<'a>> {
    let open: Vec<usize> = (0..comparisons.len())
        .filter(|index| comparisons[*index].outcome == Outcome::Inconclusive)
        .collect();
    let cells: Vec<&Comparison<'_>> = open.iter().map(|index| &comparisons[*index]).collect();
    let mut variances: Vec<Option<SampleVariance>> = vec![None; comparisons.len()];
    let mut cell_claims = Vec::new();
    for ((index, cell), variance) in open.iter().zip(&cells).zip(moderated(&cells)) {
        variances[*index] = Some(variance);
        if let Some(difference) = &cell.difference {
            cell_claims.push(Claim {
                value: difference.value,
                cells: vec![difference],
                is_borrowed: cell.evidence == Evidence::OneSeed,
                seeds: SampleVariance {
                    value: variance.value / difference.per_seed.len() as f64,
                    ..variance
                },
            });
        }
    }
    let (mut methods, method_claims): (Vec<_>, Vec<_>) =
        claims(comparisons, &variances).into_iter().unzip();
    let (of_methods, of_cells) = match methods.is_empty() {
        true => (0.0, 1.0),
        false => (METHOD_SHARE, 1.0 - METHOD_SHARE),
    };
    for (one, tested) in methods
        .iter_mut()
        .zip(tested(&method_claims, of_methods, rule))
    {
        one.p_worse = tested.p_worse;
        one.p_inferior = tested.p_inferior;
        one.outcome = tested.outcome;
        one.smallest_margin = tested.smallest_margin;
    }
    let found = tested(&cell_claims, of_cells, rule);
    let intervals: Vec<_> = cell_claims.iter().map(Claim::interval).collect();
    for ((index, tested), interval) in open.into_iter().zip(found).zip(intervals) {
        let one = &mut comparisons[index];
        if one.evidence != Evidence::SameModule {
            one.interval = Some(interval);
        }
        one.p_worse = Some(tested.p_worse);
        one.p_inferior = Some(tested.p_inferior);
        one.outcome = tested.outcome;
        one.smallest_margin = tested.smallest_margin;
    }
    methods
}

/// What the tests of one family say of one claim.
struct Tested {
    p_worse: f64,
    p_inferior: f64,
    outcome: Outcome,
    smallest_margin: Option<f64>,
}

/// Tests one family of claims at its share of alpha; p-values are to be compared with alpha.
fn tested(claims: &[Claim<'_>], share: f64, rule: GateRule) -> Vec<Tested> {
    let adjusted = |p_values: Vec<f64>| -> Vec<f64> {
        holm(&p_values)
            .iter()
            .map(|p| (p / share).min(1.0))
            .collect()
    };
    let inferior = |margin: f64| adjusted(claims.iter().map(|one| one.p_above(-margin)).collect());
    let worse = adjusted(claims.iter().map(Claim::p_worse).collect());
    let at_margin = inferior(rule.fraction());
    let outcomes = worse.iter().zip(&at_margin).enumerate();
    outcomes
        .map(|(at, (&p_worse, &p_inferior))| {
            let outcome = if p_inferior < rule.alpha {
                Outcome::Passed
            } else if p_worse < rule.alpha {
                Outcome::Regressed
            } else {
                Outcome::Inconclusive
            };
            let passes = |margin: f64| inferior(margin).get(at).is_some_and(|p| *p < rule.alpha);
            let smallest_margin = (outcome == Outcome::Regressed)
                .then(|| smallest_margin(passes))
                .flatten();
            Tested {
                p_worse,
                p_inferior,
                outcome,
                smallest_margin,
            }
        })
        .collect()
}

/// The smallest margin, in whole hundredths of a point, that passes; `None` where no margin up
/// to everything does.
fn smallest_margin(passes: impl Fn(f64) -> bool) -> Option<f64> {
    let fraction = |hundredths: u32| f64::from(hundredths) / 1e4;
    let (mut low, mut high) = (0, 10_000);
    if !passes(fraction(high)) {
        return None;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if passes(fraction(middle)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(fraction(high))
}
