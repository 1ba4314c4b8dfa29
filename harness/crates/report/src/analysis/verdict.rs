//! What became of a module's gain in the upgrade.

use serde::Serialize;

use crate::analysis::claims::{Shown, Statement};

/// What is left of a module's gain over zero-shot. It is given in this order: the first that
/// holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The module does not fit the target.
    NotInjectable,
    /// Base is not shown to be above the source's zero-shot: there is no gain to lose.
    NoGain,
    /// Nothing is left: New is below the target's zero-shot.
    Incompatible,
    /// The gain fell by less than the margin, or retraining adds less than the margin to New.
    Compatible,
    /// The gain fell, and by the margin or more as far as can be told.
    Degraded,
    /// The data cannot tell.
    Inconclusive,
}

impl Verdict {
    /// Every verdict, in the order in which they are given.
    pub const ALL: [Self; 6] = [
        Self::NotInjectable,
        Self::NoGain,
        Self::Incompatible,
        Self::Compatible,
        Self::Degraded,
        Self::Inconclusive,
    ];

    pub(super) fn of(shown: Shown) -> Self {
        if !shown.is(Statement::Gained) {
            Self::NoGain
        } else if shown.is(Statement::Harms) {
            Self::Incompatible
        } else if shown.is(Statement::GainKept) {
            Self::Compatible
        } else if shown.is(Statement::GainLost) {
            Self::Degraded
        } else {
            Self::Inconclusive
        }
    }

    /// The verdict in a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotInjectable => "not injectable",
            Self::NoGain => "no gain",
            Self::Incompatible => "incompatible",
            Self::Compatible => "compatible",
            Self::Degraded => "degraded",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// One character that tells the verdicts apart without colour.
    pub fn glyph(self) -> char {
        match self {
            Self::NotInjectable => '✗',
            Self::NoGain => '–',
            Self::Incompatible => '▼',
            Self::Compatible => '✓',
            Self::Degraded => '↘',
            Self::Inconclusive => '?',
        }
    }
}
