//! What to do with a module after the upgrade.

use serde::Serialize;

use crate::analysis::retrained::Retrained;
use crate::analysis::verdict::Verdict;
use crate::stats::Difference;

/// What follows from a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recommendation {
    /// Move the module as it is.
    Keep,
    /// Use the target without it.
    Drop,
    /// Train it anew on the target.
    Retrain,
    /// The data cannot tell; measure more.
    Undecided,
}

impl Recommendation {
    /// `retrained` is `None` where no module was trained on the target: then what retraining
    /// brings is unknown, and a module that lost is worth the attempt.
    pub(crate) fn of(
        verdict: Option<Verdict>,
        over_zero_shot: Option<&Difference>,
        retrained: Option<&Retrained>,
    ) -> Self {
        let beats_zero_shot = retrained.is_none_or(|r| r.over_zero_shot.low() > 0.0);
        let beats_new = retrained.is_none_or(|r| {
            let gain = r.over_new.as_ref();
            gain.is_none_or(|gain| gain.low() > 0.0)
        });
        match verdict {
            None => Self::Undecided,
            Some(Verdict::NotInjectable) if beats_zero_shot => Self::Retrain,
            Some(Verdict::NotInjectable) => Self::Drop,
            // Without a measured gain the zero-shot is better, and costs nothing.
            Some(Verdict::Incompatible) if retrained.is_some() && beats_zero_shot => Self::Retrain,
            Some(Verdict::Incompatible) => Self::Drop,
            Some(Verdict::Compatible) => Self::Keep,
            Some(Verdict::Degraded) if beats_new => Self::Retrain,
            Some(Verdict::Degraded) => Self::Keep,
            Some(Verdict::Inconclusive) => match over_zero_shot {
                Some(gain) if gain.low() > 0.0 => Self::Keep,
                _ => Self::Undecided,
            },
        }
    }

    /// The recommendation in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::Retrain => "retrain",
            Self::Undecided => "undecided",
        }
    }
}
