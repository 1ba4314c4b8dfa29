//! Stages of a plan: each needs only what those before it have stored.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Work of a plan that can run at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Image features, and zero-shot evaluations that read few of them.
    Features,
    /// Trainings, and the other zero-shot evaluations.
    Trainings,
    /// Modules in other backbones.
    Injections,
}

/// A word that names no stage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a stage: features, trainings or injections, or its number from 1 to 3")]
pub struct StageError;

impl Stage {
    /// Every stage, first to last.
    pub const ALL: [Self; 3] = [Self::Features, Self::Trainings, Self::Injections];

    /// What it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Features => "features",
            Self::Trainings => "trainings",
            Self::Injections => "injections",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Stage {
    type Err = StageError;

    fn from_str(text: &str) -> Result<Self, StageError> {
        let by_number = ["1", "2", "3"].iter().position(|number| *number == text);
        let by_name = Self::ALL.iter().position(|stage| stage.name() == text);
        let found = by_number.or(by_name).ok_or(StageError)?;
        Ok(Self::ALL[found])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_has_a_name_and_a_number() {
        for (number, stage) in ["1", "2", "3"].into_iter().zip(Stage::ALL) {
            assert_eq!(number.parse(), Ok(stage));
            assert_eq!(stage.name().parse(), Ok(stage));
        }
        assert_eq!("4".parse::<Stage>(), Err(StageError));
    }
}
