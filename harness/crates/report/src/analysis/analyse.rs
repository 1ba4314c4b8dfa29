//! All assessments of a report.

use std::collections::BTreeMap;

use crate::analysis::assess::{Family, Group};
use crate::analysis::assessment::Assessment;
use crate::analysis::chain::ChainAnalysis;
use crate::analysis::claims::shown;
use crate::analysis::measured::{Measured, Priors};
use crate::analysis::ranks::RankStability;
use crate::cell::Cell;
use crate::report::{GateRule, Report};
use crate::upgrade::Upgrade;

/// What the cells of a report come down to.
#[derive(Clone, Debug)]
pub struct Analysis<'a> {
    /// The margin of the verdicts: the suite's, or the default.
    pub rule: GateRule,
    /// One for each upgrade × shots × method × data set that has a cell, in the
    /// report's order.
    pub assessments: Vec<Assessment<'a>>,
    /// One for each upgrade × shots with at least two methods to rank.
    pub ranks: Vec<RankStability<'a>>,
    /// One for each chain × shots that has a cell.
    pub chains: Vec<ChainAnalysis<'a>>,
}

impl<'a> Analysis<'a> {
    /// The assessments of one upgrade and number of shots.
    pub fn of_block(&self, upgrade: &Upgrade, shots: u32) -> impl Iterator<Item = &Assessment<'a>> {
        let assessments = self.assessments.iter();
        assessments.filter(move |one| one.upgrade == upgrade && one.shots == shots)
    }

    /// The assessments of one method, by data set.
    pub fn of_method(
        &self,
        upgrade: &Upgrade,
        shots: u32,
        method: &str,
    ) -> impl Iterator<Item = &Assessment<'a>> {
        self.of_block(upgrade, shots)
            .filter(move |one| one.method == method)
    }

    /// The assessment of one method on one data set.
    pub fn find(
        &self,
        upgrade: &Upgrade,
        shots: u32,
        method: &str,
        dataset: &str,
    ) -> Option<&Assessment<'a>> {
        self.of_method(upgrade, shots, method)
            .find(|one| one.dataset == dataset)
    }
}

/// Assesses a report with the margin of its suite.
pub fn analyse(report: &Report) -> Analysis<'_> {
    let rule = report.suite.gate.unwrap_or_default();
    let mut groups: BTreeMap<[usize; 4], Vec<&Cell>> = BTreeMap::new();
    for cell in &report.cells {
        let at = (
            report.upgrades.iter().position(|one| *one == cell.upgrade),
            report
                .methods
                .iter()
                .position(|one| one.label == cell.method),
            report
                .datasets
                .iter()
                .position(|one| one.name == cell.dataset),
        );
        // A cell of nothing that the report lists is a finding of the lints.
        if let (Some(upgrade), Some(method), Some(dataset)) = at {
            let shots = cell.shots as usize;
            let group = groups.entry([upgrade, shots, method, dataset]).or_default();
            group.push(cell);
        }
    }
    let groups: BTreeMap<[usize; 4], Group<'_>> = groups
        .into_iter()
        .map(|(at, cells)| (at, Group::of(&cells)))
        .collect();
    let priors = Priors::fit(groups.values().map(|group| &group.measured));
    let mut assessments: Vec<Assessment<'_>> = Vec::new();
    let all: Vec<_> = groups.iter().collect();
    // A family: the methods and data sets of an upgrade and number of shots.
    for family in all.chunk_by(|([a, b, ..], _), ([c, d, ..], _)| (a, b) == (c, d)) {
        let measured: Vec<&Measured> = family.iter().map(|(_, group)| &group.measured).collect();
        let of = Family {
            priors: &priors,
            rule,
            members: family.len(),
        };
        let shown = shown(&measured, &priors, rule);
        let own = family.iter().zip(shown);
        assessments.extend(own.filter_map(|((_, group), shown)| group.assess(shown, &of)));
    }
    let mut blocks: Vec<(&Upgrade, u32)> = Vec::new();
    for one in &assessments {
        if blocks.last() != Some(&(one.upgrade, one.shots)) {
            blocks.push((one.upgrade, one.shots));
        }
    }
    let ranks = blocks.into_iter().filter_map(|(upgrade, shots)| {
        let own = assessments.iter();
        let own: Vec<&Assessment<'_>> = own
            .filter(|one| (one.upgrade, one.shots) == (upgrade, shots))
            .collect();
        RankStability::of(upgrade, shots, &own)
    });
    Analysis {
        rule,
        ranks: ranks.collect(),
        chains: ChainAnalysis::all(report, &assessments, &priors, rule),
        assessments,
    }
}
