//! What identifies a cell within a report.

use std::borrow::Cow;

use crate::cell::Cell;
use crate::seeds::Seeds;

/// The labels and numbers that together name one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellLabels<'a> {
    pub method: &'a str,
    pub dataset: &'a str,
    pub source: &'a str,
    pub target: &'a str,
    pub shots: u32,
    pub seed: Seeds,
}

impl<'a> From<&'a Cell> for CellLabels<'a> {
    fn from(cell: &'a Cell) -> Self {
        Self {
            method: &cell.method,
            dataset: &cell.dataset,
            source: &cell.upgrade.source,
            target: &cell.upgrade.target,
            shots: cell.shots,
            seed: cell.seed,
        }
    }
}

/// A key of `--only`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Method,
    Dataset,
    Source,
    Target,
    Shots,
    Seed,
}

impl Key {
    pub(super) const ALL: [Self; 6] = [
        Self::Method,
        Self::Dataset,
        Self::Source,
        Self::Target,
        Self::Shots,
        Self::Seed,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str() == name)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Dataset => "dataset",
            Self::Source => "source",
            Self::Target => "target",
            Self::Shots => "shots",
            Self::Seed => "seed",
        }
    }

    /// What a cell has under this key, as it is written in a selection.
    pub(super) fn of<'a>(self, cell: &CellLabels<'a>) -> Cow<'a, str> {
        match self {
            Self::Method => cell.method.into(),
            Self::Dataset => cell.dataset.into(),
            Self::Source => cell.source.into(),
            Self::Target => cell.target.into(),
            Self::Shots => cell.shots.to_string().into(),
            Self::Seed => cell.seed.to_string().into(),
        }
    }
}
