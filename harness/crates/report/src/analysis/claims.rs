//! What is shown of the methods of an upgrade, at one family-wise level.

use serde::Serialize;

use crate::analysis::measured::{Measured, Priors};
use crate::report::GateRule;
use crate::stats::{Crossed, holm};

/// Where the evidence stands on a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// It holds.
    Shown,
    /// Its opposite holds.
    Refuted,
    /// The data cannot tell.
    Open,
}

/// A one-sided statement on a method on a data set. Each is tested over all methods and data sets
/// of an upgrade and number of shots, with Holm's correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// New is above Z(t).
    Helps,
    /// New is less than the margin above Z(t).
    HelpsLittle,
    /// New is below Z(t).
    Harms,
    /// Retrained is more than the margin above New, and above Z(t).
    RetrainingPays,
    /// Retrained is less than the margin above New.
    RetrainingAddsLittle,
    /// Neither New nor, where it was measured, retrained is the margin above Z(t).
    Useless,
    /// Retrained, of a module that does not fit, is less than the margin above Z(t).
    RetrainingUseless,
    /// Base is above Z(s).
    Gained,
    /// The gain fell by less than the margin, or New is less than the margin below retrained.
    GainKept,
    /// The gain fell.
    GainLost,
}

const STATEMENTS: [Statement; 10] = [
    Statement::Helps,
    Statement::HelpsLittle,
    Statement::Harms,
    Statement::RetrainingPays,
    Statement::RetrainingAddsLittle,
    Statement::Useless,
    Statement::RetrainingUseless,
    Statement::Gained,
    Statement::GainKept,
    Statement::GainLost,
];

/// Which statements are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown([bool; STATEMENTS.len()]);

impl Shown {
    pub(super) fn is(self, statement: Statement) -> bool {
        self.0[statement as usize]
    }
}

/// What is shown of each member of a family: the methods and data sets of an upgrade and number
/// of shots. A statement is shown where Holm's adjusted p-value is below half of the rule's
/// alpha: with two directions to a comparison, each comparison holds alpha over the family, and
/// what is shown lies outside of the 95 % interval at an alpha of 5 %.
pub(super) fn shown(family: &[&Measured], priors: &Priors, rule: GateRule) -> Vec<Shown> {
    let mut found = vec![Shown::default(); family.len()];
    for statement in STATEMENTS {
        let p_values = family.iter().enumerate();
        let p_values = p_values
            .filter_map(|(at, one)| Some((at, p_value(statement, one, priors, rule.fraction())?)));
        let (places, p_values): (Vec<usize>, Vec<f64>) = p_values.unzip();
        for (at, p) in places.into_iter().zip(holm(&p_values)) {
            found[at].0[statement as usize] = p < rule.alpha / 2.0;
        }
    }
    found
}

/// The p-value of a statement's opposite; `None` where it has none.
fn p_value(statement: Statement, of: &Measured, priors: &Priors, margin: f64) -> Option<f64> {
    let new = of.over_zero_shot.as_ref();
    let new = new.map(|difference| (difference, priors.over_zero_shot.as_ref()));
    let over_new = of.over_new.as_ref();
    let over_new = over_new.map(|difference| (difference, priors.over_new.as_ref()));
    let retrained = of.retrained_over_zero_shot.as_ref();
    let retrained =
        retrained.map(|difference| (difference, priors.retrained_over_zero_shot.as_ref()));
    let change = of.gains.as_ref().map(|gains| gains.less(1.0));
    let change_prior = priors.gain_change.as_ref();
    match statement {
        Statement::Helps => new.map(|(d, prior)| d.p_above(0.0, prior)),
        Statement::HelpsLittle => new.map(|(d, prior)| d.p_below(margin, prior)),
        Statement::Harms => new.map(|(d, prior)| d.p_below(0.0, prior)),
        // All of several statements hold where the least certain one does (Berger 1982).
        Statement::RetrainingPays => {
            let over_zero_shot = retrained.map(|(d, prior)| d.p_above(margin, prior))?;
            let over_new = over_new.map_or(0.0, |(d, prior)| d.p_above(margin, prior));
            (new.is_none() || of.over_new.is_some()).then(|| over_zero_shot.max(over_new))
        }
        Statement::RetrainingAddsLittle => over_new.map(|(d, prior)| d.p_below(margin, prior)),
        Statement::Useless => {
            let retrained = retrained.map(|(d, prior)| d.p_below(margin, prior));
            let new = new.map(|(d, prior)| d.p_below(margin, prior));
            match (new, retrained) {
                (Some(new), Some(retrained)) => Some(new.max(retrained)),
                (one, other) => one.or(other),
            }
        }
        Statement::RetrainingUseless => retrained
            .filter(|_| new.is_none())
            .map(|(d, prior)| d.p_below(margin, prior)),
        Statement::Gained => {
            let gain = of.source_gain.as_ref()?;
            Some(gain.p_above(0.0, priors.source_gain.as_ref()))
        }
        // One of two statements holds: the more certain one, for two looks.
        Statement::GainKept => {
            let kept = change?.p_above(-margin, change_prior);
            let reached = over_new.map(|(d, prior)| d.p_below(margin, prior));
            Some(reached.map_or(kept, |reached| (2.0 * kept.min(reached)).min(1.0)))
        }
        Statement::GainLost => Some(change?.p_below(0.0, change_prior)),
    }
}
