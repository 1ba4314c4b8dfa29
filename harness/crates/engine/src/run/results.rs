//! The results of a plan's units.

use std::collections::HashMap;

use crate::job::{Evaluation, JobOutput, Usage};
use crate::plan::{UnitIndex, UnitResult};
use crate::schedule::TaskResult;

/// How every unit ended that was stored or had to be done.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Results(HashMap<UnitIndex, UnitResult>);

impl Results {
    pub(crate) fn insert(&mut self, unit: UnitIndex, result: UnitResult) {
        self.0.insert(unit, result);
    }

    pub(super) fn remove(&mut self, unit: UnitIndex) {
        self.0.remove(&unit);
    }

    /// None for a unit that nothing asked for.
    pub(crate) fn get(&self, unit: UnitIndex) -> Option<&UnitResult> {
        self.0.get(&unit)
    }

    pub(super) fn contains(&self, unit: UnitIndex) -> bool {
        self.0.contains_key(&unit)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (UnitIndex, &UnitResult)> {
        self.0.iter().map(|(unit, result)| (*unit, result))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The output of a unit that finished.
    pub(super) fn output(&self, unit: UnitIndex) -> Option<&JobOutput> {
        match self.get(unit)? {
            TaskResult::Finished { output, .. } => Some(output),
            _ => None,
        }
    }

    /// What a finished unit's worker used.
    pub(super) fn usage(&self, unit: UnitIndex) -> Option<Usage> {
        match self.get(unit)? {
            TaskResult::Finished { usage, .. } => Some(*usage),
            _ => None,
        }
    }

    /// The evaluation that a unit made, if it finished and evaluates.
    pub(super) fn evaluation(&self, unit: UnitIndex) -> Option<&Evaluation> {
        match self.output(unit)? {
            JobOutput::ZeroShot { evaluation, .. } | JobOutput::Injected { evaluation, .. } => {
                Some(evaluation)
            }
            JobOutput::Trained(trained) => Some(&trained.evaluation),
            JobOutput::Inspected { .. }
            | JobOutput::Declared { .. }
            | JobOutput::Predicted { .. }
            | JobOutput::Checked { .. }
            | JobOutput::Tried(_)
            | JobOutput::Compared(_)
            | JobOutput::InputsWritten
            | JobOutput::Surveyed { .. }
            | JobOutput::Features { .. } => None,
        }
    }
}

impl FromIterator<(UnitIndex, UnitResult)> for Results {
    fn from_iter<I: IntoIterator<Item = (UnitIndex, UnitResult)>>(results: I) -> Self {
        Self(results.into_iter().collect())
    }
}
