//! What became of a module in the upgrade.

use serde::Serialize;

use crate::stats::Difference;

/// The verdict on a method on a data set across an upgrade. It is given in this order: the first
/// that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The module does not fit the target.
    NotInjectable,
    /// New is below the target's zero-shot: injecting hurts.
    Incompatible,
    /// New is not below Base by the margin or more.
    Compatible,
    /// New is below Base, and by the margin or more as far as can be told.
    Degraded,
    /// The data cannot tell.
    Inconclusive,
}

impl Verdict {
    /// Of what was measured: `against_base` is New - Base, `over_zero_shot` New - Z(t), `margin`
    /// the loss that is accepted, a fraction.
    pub(crate) fn of(against_base: &Difference, over_zero_shot: &Difference, margin: f64) -> Self {
        if over_zero_shot.high() < 0.0 {
            Self::Incompatible
        } else if against_base.low() > -margin {
            Self::Compatible
        } else if against_base.high() < 0.0 {
            Self::Degraded
        } else {
            Self::Inconclusive
        }
    }

    /// The verdict in a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotInjectable => "not injectable",
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
            Self::Incompatible => '▼',
            Self::Compatible => '✓',
            Self::Degraded => '↘',
            Self::Inconclusive => '?',
        }
    }
}
