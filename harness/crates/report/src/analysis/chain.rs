//! What becomes of modules along a chain of upgrades: which step took what of their gain over
//! zero-shot, and whether a module that was trained in between serves the backbones after it.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::analysis::assessment::Assessment;
use crate::analysis::effect::Effect;
use crate::analysis::measured::Priors;
use crate::cell::{Cell, Conditions};
use crate::condition::Condition;
use crate::report::{GateRule, Report};
use crate::seeds::{Seeds, replicates};
use crate::stats::{Contrast, Crossed, Difference, holm};

/// The modules of a chain with one number of shots.
#[derive(Clone, Debug)]
pub struct ChainAnalysis<'a> {
    /// From the oldest to the newest.
    pub backbones: &'a [String],
    pub shots: u32,
    /// By method and data set in the report's order, then from the oldest backbone.
    pub rows: Vec<ChainRow<'a>>,
}

/// The modules of a method on a data set that were trained on one backbone of the chain.
#[derive(Clone, Debug)]
pub struct ChainRow<'a> {
    pub method: &'a str,
    pub dataset: &'a str,
    /// Position in the chain of the backbone they were trained on.
    pub trained_on: usize,
    /// On that backbone and on each after it; one a backbone.
    pub stops: Vec<Stop>,
}

/// Modules on one backbone of a chain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stop {
    /// Accuracy minus the backbone's zero-shot; `None` where it was not measured.
    pub gain: Option<Effect>,
    /// What the step to this backbone changed; `None` on the backbone they were trained on, and
    /// where one of its ends was not measured.
    pub step: Option<Step>,
    /// Whether the modules are shown to help here, at the family-wise level of the upgrade.
    pub helps: bool,
    /// Whether they are shown to be below zero-shot.
    pub harms: bool,
}

/// The change of a gain from one backbone of a chain to the next.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Gain here minus gain on the backbone before.
    pub change: Effect,
    pub claim: StepClaim,
}

/// What is shown of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepClaim {
    /// The gain fell.
    Lost,
    /// The gain rose.
    Gained,
    /// Neither is shown.
    Open,
}

/// A module on a backbone beside that backbone's zero-shot.
type Pair<'c> = (Seeds, [&'c Condition; 2]);

/// A row before its steps are tested.
struct Measured<'a> {
    row: ChainRow<'a>,
    /// The contrast of each stop with the one before.
    steps: Vec<Option<Contrast>>,
}

impl<'a> ChainAnalysis<'a> {
    /// Every chain of a report, by shots. A change of a gain is shown where Holm's adjusted p-value
    /// over all steps, methods and data sets of the chain is below half of the rule's alpha, with
    /// two directions to a step.
    pub(super) fn all(
        report: &'a Report,
        assessments: &[Assessment<'_>],
        priors: &Priors,
        rule: GateRule,
    ) -> Vec<Self> {
        let mut found = Vec::new();
        for chain in &report.chains {
            let backbones = chain.backbones.as_slice();
            let own = report.cells.iter().filter(|cell| {
                let at = |name: &String| backbones.iter().position(|one| one == name);
                at(&cell.upgrade.source)
                    .zip(at(&cell.upgrade.target))
                    .is_some_and(|(source, target)| source < target)
            });
            let own: Vec<&Cell> = own.collect();
            let shots: BTreeSet<u32> = own.iter().map(|cell| cell.shots).collect();
            for shots in shots {
                let cells = own.iter().copied().filter(|cell| cell.shots == shots);
                let cells: Vec<&Cell> = cells.collect();
                let mut rows = rows(report, backbones, &cells, priors);
                for one in &mut rows {
                    one.stand(backbones, shots, assessments);
                }
                test(&mut rows, priors, rule);
                found.push(Self {
                    backbones,
                    shots,
                    rows: rows.into_iter().map(|one| one.row).collect(),
                });
            }
        }
        found
    }

    /// The rows of modules that were trained on a backbone of the chain, by its position.
    pub fn trained_on(&self, position: usize) -> impl Iterator<Item = &ChainRow<'a>> {
        let rows = self.rows.iter();
        rows.filter(move |row| row.trained_on == position)
    }
}

impl ChainRow<'_> {
    /// The modules on a backbone of the chain, by its position.
    pub fn stop(&self, position: usize) -> Option<&Stop> {
        self.stops.get(position.checked_sub(self.trained_on)?)
    }
}

fn rows<'a>(
    report: &'a Report,
    backbones: &'a [String],
    cells: &[&'a Cell],
    priors: &Priors,
) -> Vec<Measured<'a>> {
    let mut rows = Vec::new();
    for method in &report.methods {
        for dataset in &report.datasets {
            let own = cells.iter().copied();
            let own = own.filter(|c| c.method == method.label && c.dataset == dataset.name);
            let own: Vec<&Cell> = own.collect();
            for at in 0..backbones.len().saturating_sub(1) {
                let own = own.iter().copied();
                let own: Vec<&Cell> = own.filter(|c| c.upgrade.source == backbones[at]).collect();
                if own.is_empty() {
                    continue;
                }
                let pairs = pairs(&own, &backbones[at..]);
                rows.push(Measured {
                    row: ChainRow {
                        method: &method.label,
                        dataset: &dataset.name,
                        trained_on: at,
                        stops: stops(&pairs, priors),
                    },
                    steps: steps(&pairs),
                });
            }
        }
    }
    rows
}

/// The modules and the zero-shot on each backbone of a part of a chain, of the seeds that were
/// measured on each.
fn pairs<'c>(cells: &[&'c Cell], part: &[String]) -> Vec<Vec<Pair<'c>>> {
    let pick = |cells: &[&'c Cell],
                of: fn(&'c Conditions) -> Option<[&'c Condition; 2]>|
     -> Vec<Pair<'c>> {
        let mut seen = BTreeSet::new();
        let pairs = cells.iter();
        let pairs = pairs.filter_map(|cell| Some((cell.seed, of(&cell.conditions)?)));
        let mut pairs: Vec<Pair<'c>> = pairs.filter(|(seed, _)| seen.insert(*seed)).collect();
        pairs.sort_by_key(|(seed, _)| *seed);
        pairs
    };
    let home = pick(cells, |of| {
        Some([of.base.as_ref()?, of.zero_source.as_ref()?])
    });
    let others = part.iter().skip(1).map(|target| {
        let own = cells.iter().copied();
        let own: Vec<&Cell> = own.filter(|c| c.upgrade.target == *target).collect();
        pick(&own, |of| {
            Some([of.new.as_ref()?, of.zero_target.as_ref()?])
        })
    });
    std::iter::once(home).chain(others).collect()
}

fn stops(pairs: &[Vec<Pair<'_>>], priors: &Priors) -> Vec<Stop> {
    let stops = pairs.iter().enumerate().map(|(at, pairs)| {
        let each = pairs.iter().map(|(seed, [a, b])| (*seed, (*a, *b)));
        let difference = Difference::of(&replicates(each));
        let prior = match at {
            0 => priors.source_gain.as_ref(),
            _ => priors.over_zero_shot.as_ref(),
        };
        Stop {
            gain: difference.map(|difference| Effect::of(&difference, prior)),
            ..Stop::default()
        }
    });
    stops.collect()
}

/// Of each backbone and the one before it, over the seeds that both have.
fn steps(pairs: &[Vec<Pair<'_>>]) -> Vec<Option<Contrast>> {
    let between = pairs.windows(2).map(|ends| {
        let [before, here] = ends else { return None };
        let both = here.iter().filter_map(|(seed, [a, b])| {
            let (_, [c, d]) = before.iter().find(|(other, _)| other == seed)?;
            Some((*seed, [*a, *b, *c, *d]))
        });
        Contrast::of(&replicates(both))
    });
    std::iter::once(None).chain(between).collect()
}

impl Measured<'_> {
    /// Takes over what the upgrades show of the modules.
    fn stand(&mut self, backbones: &[String], shots: u32, assessments: &[Assessment<'_>]) {
        let at = self.row.trained_on;
        for (target, stop) in backbones[at..].iter().zip(&mut self.row.stops).skip(1) {
            let mut assessments = assessments.iter();
            let own = assessments.find(|one| {
                (one.method, one.dataset, one.shots) == (self.row.method, self.row.dataset, shots)
                    && (&one.upgrade.source, &one.upgrade.target) == (&backbones[at], target)
            });
            if let Some(own) = own {
                stop.helps = own.helps == Some(crate::analysis::Claim::Shown);
                stop.harms = own.harms;
            }
        }
    }
}

/// Tests the steps of all rows together.
fn test(rows: &mut [Measured<'_>], priors: &Priors, rule: GateRule) {
    let prior = priors.gain_change.as_ref();
    let mut places = Vec::new();
    let (mut lost, mut gained) = (Vec::new(), Vec::new());
    for (row, one) in rows.iter().enumerate() {
        for (stop, contrast) in one.steps.iter().enumerate() {
            let Some(contrast) = contrast else { continue };
            let change = contrast.less(1.0);
            places.push((row, stop, Effect::of(&change, prior)));
            lost.push(change.p_below(0.0, prior));
            gained.push(change.p_above(0.0, prior));
        }
    }
    let is_shown = |p: f64| p < rule.alpha / 2.0;
    let adjusted = holm(&lost).into_iter().zip(holm(&gained));
    for ((row, stop, change), (lost, gained)) in places.into_iter().zip(adjusted) {
        let claim = match (is_shown(lost), is_shown(gained)) {
            (true, _) => StepClaim::Lost,
            (false, true) => StepClaim::Gained,
            (false, false) => StepClaim::Open,
        };
        rows[row].row.stops[stop].step = Some(Step { change, claim });
    }
}
