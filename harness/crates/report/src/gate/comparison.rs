//! One cell against its baseline.

use crate::cell::{Cell, Status};
use crate::exit_code::ExitCode;
use crate::gate::evidence::Evidence;
use crate::stats::Crossed;
use crate::stats::{Difference, Interval, LEVEL, mean};
use crate::upgrade::Upgrade;

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// New is right and wrong on the same images as before.
    Unchanged,
    /// A loss of the margin or more is ruled out.
    Passed,
    /// Neither a loss nor a loss below the margin can be shown.
    Inconclusive,
    /// A loss is shown, and one of the margin or more is not ruled out.
    Regressed,
    /// The module fitted the target before, and does not any more.
    Unfit,
    /// A seed failed, crashed or ran out of time.
    Broken,
    /// A seed is outstanding.
    Outstanding,
    /// The two are not over the same images: nothing can be said.
    OtherData,
}

impl Outcome {
    /// The outcome as one word, as the `Summary` line and the files spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Passed => "passed",
            Self::Inconclusive => "inconclusive",
            Self::Regressed => "regressed",
            Self::Unfit => "unfit",
            Self::Broken => "broken",
            Self::Outstanding => "outstanding",
            Self::OtherData => "other-data",
        }
    }

    /// What it makes of the exit status.
    pub(super) fn exit_code(self, is_strict: bool) -> ExitCode {
        match self {
            Self::Unchanged | Self::Passed | Self::OtherData => ExitCode::Ok,
            Self::Inconclusive if is_strict => ExitCode::Inconclusive,
            Self::Inconclusive => ExitCode::Ok,
            Self::Regressed | Self::Unfit => ExitCode::Regression,
            Self::Broken => ExitCode::CrashedCell,
            Self::Outstanding => ExitCode::Outstanding,
        }
    }
}

/// A method on a data set across an upgrade, over its seeds, against its baseline.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    pub upgrade: &'a Upgrade,
    pub shots: u32,
    pub method: &'a str,
    pub dataset: &'a str,
    /// The seeds that the baseline has measured.
    pub seeds: Vec<u64>,
    /// New in the baseline, mean over seeds.
    pub before: f64,
    /// New in the report, mean over seeds; `None` where one is missing.
    pub after: Option<f64>,
    /// New in the report less New in the baseline; `None` where a seed is missing or the data
    /// are others.
    pub difference: Option<Difference>,
    /// 95 % interval of the difference, over images and over seeds as far as the evidence goes.
    pub interval: Option<Interval>,
    /// What its claims rest on.
    pub evidence: Evidence,
    /// The data set that its modules were trained on.
    pub training_data: &'a str,
    /// Adjusted p-value of "not worse", to compare with alpha; `None` where nothing was tested.
    pub p_worse: Option<f64>,
    /// Adjusted p-value of "worse by the margin or more".
    pub p_inferior: Option<f64>,
    pub outcome: Outcome,
    /// The smallest margin, a fraction, that this cell would pass with; `None` unless it
    /// regressed.
    pub smallest_margin: Option<f64>,
    /// Why there is no number, where there is none.
    pub problem: Option<&'a Status>,
    /// Command line that runs these cells again, and only these.
    pub rerun: String,
}

impl<'a> Comparison<'a> {
    /// Of the pairs `(baseline, report)` of one cell, one a seed; those that the baseline did not
    /// measure are left out. `None` when none is left.
    pub(super) fn of(
        pairs: &[(&'a Cell, &'a Cell)],
        is_same_data: bool,
        training_data: &'a str,
    ) -> Option<Self> {
        let measured = pairs.iter().filter_map(|(old, new)| {
            let before = old.conditions.new.as_ref();
            before
                .filter(|_| old.status == Status::Ok)
                .map(|before| (before, *new))
        });
        let measured: Vec<_> = measured.collect();
        let (_, first) = measured.first()?;
        let before: Vec<f64> = measured.iter().map(|(before, _)| before.accuracy).collect();
        let after = measured.iter().map(|(before, new)| {
            let after = new.conditions.new.as_ref();
            after
                .filter(|_| new.status == Status::Ok)
                .map(|after| (after, *before))
        });
        let after: Option<Vec<_>> = after.collect();
        let difference = after
            .as_ref()
            .filter(|_| is_same_data)
            .and_then(|pairs| Difference::of(pairs));
        let problem = measured
            .iter()
            .map(|(_, new)| &new.status)
            .find(|status| **status != Status::Ok);
        let outcome = match (problem, &difference) {
            (Some(Status::NotInjectable { .. }), _) => Outcome::Unfit,
            (Some(Status::NotRun), _) => Outcome::Outstanding,
            (Some(_), _) => Outcome::Broken,
            (None, None) => Outcome::OtherData,
            (None, Some(difference)) if difference.is_unchanged() => Outcome::Unchanged,
            (None, Some(_)) => Outcome::Inconclusive,
        };
        let module = |cell: &'a Cell| cell.training.as_ref().map(|t| &t.module_sha256);
        let is_same_module = pairs
            .iter()
            .all(|(old, new)| module(old).is_some() && module(old) == module(new));
        let evidence = match measured.len() {
            1 if is_same_module => Evidence::SameModule,
            1 => Evidence::OneSeed,
            _ => Evidence::Seeds,
        };
        let seeds: Vec<u64> = measured.iter().map(|(_, new)| new.seed).collect();
        Some(Self {
            upgrade: &first.upgrade,
            shots: first.shots,
            method: &first.method,
            dataset: &first.dataset,
            before: mean(&before)?,
            after: after.and_then(|pairs| {
                mean(
                    &pairs
                        .iter()
                        .map(|(after, _)| after.accuracy)
                        .collect::<Vec<_>>(),
                )
            }),
            interval: difference.as_ref().map(|found| found.interval(LEVEL, None)),
            difference,
            evidence,
            training_data,
            p_worse: None,
            p_inferior: None,
            outcome,
            smallest_margin: None,
            problem,
            rerun: rerun(first, &seeds),
            seeds,
        })
    }

    /// Whether it changed and what was found would need more seeds to hold.
    pub fn is_provisional(&self) -> bool {
        let is_changed = self.difference.as_ref().is_some_and(|d| !d.is_unchanged());
        self.evidence.is_provisional() && is_changed
    }

    /// Whether the interval of the difference lies on one side of 0: -1, 0 or 1.
    pub fn direction(&self) -> i8 {
        let sides = self.interval.map(|i| (i.high < 0.0, i.low > 0.0));
        match sides {
            Some((true, _)) => -1,
            Some((_, true)) => 1,
            _ => 0,
        }
    }
}

/// The command of one seed's cell, for all seeds.
fn rerun(cell: &Cell, seeds: &[u64]) -> String {
    let all: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let one = format!(" --only seed={} ", cell.seed);
    // The last one: a path or label before it may read like a seed.
    match cell.rerun.rsplit_once(&one) {
        Some((before, after)) => format!("{before} --only seed={} {after}", all.join(",")),
        None => cell.rerun.clone(),
    }
}
