//! The state of a planned cell.

use harness_engine::run::CellState;
use schemars::JsonSchema;
use serde::Serialize;

/// What a run would make of a cell.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// Every result is cached.
    Stored,
    ToRun,
    /// The module does not fit the target; the other conditions are measured.
    NotInjectable,
    /// Files of its inputs are not on this machine.
    Waiting,
    /// The plugin could not say whether it fits; the plan ends with 103.
    Broken,
}

impl State {
    pub(super) const ALL: [Self; 5] = [
        Self::Stored,
        Self::ToRun,
        Self::NotInjectable,
        Self::Waiting,
        Self::Broken,
    ];

    pub(super) fn of(state: &CellState) -> Self {
        match state {
            CellState::Stored => Self::Stored,
            CellState::ToRun => Self::ToRun,
            CellState::NotInjectable { .. } => Self::NotInjectable,
            CellState::Waiting { .. } => Self::Waiting,
            CellState::Broken { .. } => Self::Broken,
        }
    }

    /// As the summary line spells it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::ToRun => "to-run",
            Self::NotInjectable => "not-injectable",
            Self::Waiting => "waiting",
            Self::Broken => "broken",
        }
    }
}
