//! What to do with a module after the upgrade: the decision table.

use serde::Serialize;

use crate::analysis::claims::Claim;

/// What to do with a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recommendation {
    /// Move the module as it is.
    Keep,
    /// Move it as it is; whether training on the target would pay is open.
    UndecidedKeepMeanwhile,
    /// Train it on the target; move it as it is until then.
    RetrainKeepMeanwhile,
    /// Train it on the target.
    Retrain,
    /// Use the target without it.
    Drop,
    /// The data cannot tell; measure more.
    Undecided,
}

/// What a recommendation rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Whether New is above Z(t); refuted where it is less than the margin above it. `None` of
    /// a module that does not fit.
    pub helps: Option<Claim>,
    /// Whether retrained is more than the margin above both New and Z(t); refuted where it is
    /// less than the margin above New or, of a module that does not fit, above Z(t). `None`
    /// where nothing was retrained.
    pub retraining_pays: Option<Claim>,
    /// Whether neither New nor retrained, where it was measured, is the margin above Z(t).
    pub is_useless: bool,
}

impl Recommendation {
    /// Every recommendation, from the most favourable.
    pub const ALL: [Self; 6] = [
        Self::Keep,
        Self::UndecidedKeepMeanwhile,
        Self::RetrainKeepMeanwhile,
        Self::Retrain,
        Self::Drop,
        Self::Undecided,
    ];

    /// The first row that applies.
    pub fn of(evidence: Evidence) -> Self {
        match (evidence.helps, evidence.retraining_pays) {
            (Some(Claim::Shown), Some(Claim::Shown)) => Self::RetrainKeepMeanwhile,
            (Some(Claim::Shown), Some(Claim::Open)) => Self::UndecidedKeepMeanwhile,
            (Some(Claim::Shown), Some(Claim::Refuted) | None) => Self::Keep,
            (_, Some(Claim::Shown)) => Self::Retrain,
            _ if evidence.is_useless => Self::Drop,
            _ => Self::Undecided,
        }
    }

    /// The recommendation in a word or a few.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::UndecidedKeepMeanwhile => "undecided, keep meanwhile",
            Self::RetrainKeepMeanwhile => "retrain, keep meanwhile",
            Self::Retrain => "retrain",
            Self::Drop => "drop",
            Self::Undecided => "undecided",
        }
    }

    /// The recommendation as options and JSON spell it.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::UndecidedKeepMeanwhile => "undecided-keep-meanwhile",
            Self::RetrainKeepMeanwhile => "retrain-keep-meanwhile",
            Self::Keep | Self::Retrain | Self::Drop | Self::Undecided => self.word(),
        }
    }

    /// Whether the module is worth having on the target until anything better is there.
    pub fn keeps(self) -> bool {
        matches!(
            self,
            Self::Keep | Self::UndecidedKeepMeanwhile | Self::RetrainKeepMeanwhile
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, Evidence, Recommendation};

    #[test]
    fn the_decision_table() {
        use Claim::{Open, Refuted, Shown};
        use Recommendation::{
            Drop, Keep, Retrain, RetrainKeepMeanwhile, Undecided, UndecidedKeepMeanwhile,
        };
        // Helps, retraining pays, useless.
        for (helps, retraining_pays, is_useless, expected) in [
            (Some(Shown), Some(Shown), false, RetrainKeepMeanwhile),
            (Some(Shown), Some(Refuted), false, Keep),
            (Some(Shown), Some(Open), false, UndecidedKeepMeanwhile),
            (Some(Shown), None, false, Keep),
            // Above 0 and below the margin: it helps.
            (Some(Shown), Some(Refuted), true, Keep),
            (Some(Shown), None, true, Keep),
            (Some(Refuted), Some(Shown), false, Retrain),
            (Some(Open), Some(Shown), false, Retrain),
            (Some(Refuted), Some(Refuted), true, Drop),
            (Some(Refuted), Some(Open), true, Drop),
            (Some(Refuted), None, true, Drop),
            (Some(Refuted), Some(Refuted), false, Undecided),
            (Some(Refuted), Some(Open), false, Undecided),
            (Some(Open), Some(Refuted), false, Undecided),
            (Some(Open), Some(Open), false, Undecided),
            (Some(Open), None, false, Undecided),
            // A module that does not fit.
            (None, Some(Shown), false, Retrain),
            (None, Some(Refuted), true, Drop),
            (None, Some(Open), false, Undecided),
            (None, None, false, Undecided),
        ] {
            let evidence = Evidence {
                helps,
                retraining_pays,
                is_useless,
            };
            assert_eq!(Recommendation::of(evidence), expected, "{evidence:?}");
        }
    }
}
