//! The cells that all `--only` of a command select together.

use std::fmt;

use super::term::{Condition, quoted};
use super::{CellLabels, Key, Term};
use crate::cell::Cell;
use crate::report::Report;
use crate::shell::quote;

/// Most values that an error lists.
const LISTED: usize = 20;

/// Values by key. A cell is selected if, for every key that is named, it has one of the values;
/// it does not matter in which `--only` they were. Without any, every cell is selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Each key once, in the order of [`Key::ALL`], with at least one value.
    wanted: Vec<(Key, Vec<String>)>,
}

impl FromIterator<Term> for Selection {
    fn from_iter<I: IntoIterator<Item = Term>>(terms: I) -> Self {
        let terms = terms.into_iter();
        let all: Vec<Condition> = terms.flat_map(|term| term.conditions).collect();
        let of = |key: Key| {
            let mut values: Vec<String> = Vec::new();
            for condition in all.iter().filter(|condition| condition.key == key) {
                if !values.contains(&condition.value) {
                    values.push(condition.value.clone());
                }
            }
            (key, values)
        };
        let wanted = Key::ALL.map(of).into_iter();
        Self {
            wanted: wanted.filter(|(_, values)| !values.is_empty()).collect(),
        }
    }
}

impl Selection {
    /// The selection of one cell.
    pub fn of(cell: &CellLabels<'_>) -> Self {
        Self {
            wanted: Key::ALL
                .map(|key| (key, vec![key.of(cell).into_owned()]))
                .into(),
        }
    }

    /// The same selection for every seed.
    #[must_use]
    pub fn any_seed(mut self) -> Self {
        self.wanted.retain(|(key, _)| *key != Key::Seed);
        self
    }

    /// The same selection with these methods and data sets in place of those it named.
    #[must_use]
    pub fn narrowed<'l>(
        mut self,
        methods: impl Iterator<Item = &'l str>,
        datasets: impl Iterator<Item = &'l str>,
    ) -> Self {
        let named = [Key::Method, Key::Dataset];
        self.wanted.retain(|(key, _)| !named.contains(key));
        let methods = methods.map(str::to_owned).collect();
        let datasets = datasets.map(str::to_owned).collect();
        // Both keys come first in `Key::ALL`.
        let first = [(Key::Method, methods), (Key::Dataset, datasets)];
        self.wanted.splice(0..0, first);
        self
    }

    /// Whether nothing was asked for, so that everything is selected.
    pub fn is_everything(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Whether a cell is selected.
    pub fn admits(&self, cell: &CellLabels<'_>) -> bool {
        self.admits_but(cell, None)
    }

    /// Whether a cell is selected, whatever it has under one of the keys.
    fn admits_but(&self, cell: &CellLabels<'_>, ignored: Option<Key>) -> bool {
        self.wanted
            .iter()
            .filter(|(key, _)| Some(*key) != ignored)
            .all(|(key, values)| values.iter().any(|value| *value == key.of(cell)))
    }

    /// Whether every value selects at least one of `cells`.
    ///
    /// # Errors
    /// Lists the values that select none, and what there is instead.
    pub fn check<'c>(
        &self,
        cells: impl Iterator<Item = CellLabels<'c>> + Clone,
    ) -> Result<(), UnmatchedError> {
        let mut unmatched = Vec::new();
        for (key, values) in &self.wanted {
            let has = |value: &str, cell: &CellLabels<'_>| key.of(cell) == value;
            let unused = |value: &&String| {
                !cells
                    .clone()
                    .any(|cell| has(value, &cell) && self.admits(&cell))
            };
            for value in values.iter().filter(unused) {
                let is_known = cells.clone().any(|cell| has(value, &cell));
                let mut known = Vec::new();
                for cell in cells.clone() {
                    let found = key.of(&cell);
                    if (!is_known || self.admits_but(&cell, Some(*key))) && !known.contains(&found)
                    {
                        known.push(found);
                    }
                }
                unmatched.push(Unmatched {
                    key: *key,
                    value: value.clone(),
                    is_known,
                    known: known.iter().map(|value| quoted(value)).collect(),
                });
            }
        }
        // A value that no cell has leaves the others without cells: that is no mistake of theirs.
        if unmatched.iter().any(|one| !one.is_known) {
            unmatched.retain(|one| !one.is_known);
        }
        if unmatched.is_empty() {
            return Ok(());
        }
        Err(UnmatchedError { unmatched })
    }

    /// The report with the selected cells alone, and with the methods, data sets, upgrades and
    /// backbones of these cells.
    #[must_use]
    pub fn restrict(&self, mut selected: Report) -> Report {
        if self.is_everything() {
            return selected;
        }
        selected.cells.retain(|cell| self.admits(&cell.into()));
        let cells = &selected.cells;
        let any = |is_used: &dyn Fn(&Cell) -> bool| cells.iter().any(is_used);
        selected
            .methods
            .retain(|m| any(&|cell| cell.method == m.label));
        selected
            .datasets
            .retain(|d| any(&|cell| cell.dataset == d.name));
        selected
            .upgrades
            .retain(|u| any(&|cell| cell.upgrade == *u));
        selected.backbones.retain(|b| {
            any(&|cell| cell.upgrade.source == b.name || cell.upgrade.target == b.name)
        });
        selected.text_drift.retain(|drift| {
            any(&|cell| cell.upgrade == drift.upgrade && cell.dataset == drift.dataset)
        });
        selected
    }

    /// The arguments that select the same cells, as a shell takes them: ` --only method=coop …`,
    /// with a space before each.
    pub fn arguments(&self) -> String {
        let arguments = self.wanted.iter().map(|(key, values)| {
            let conditions = values.iter().map(|value| Condition {
                key: *key,
                value: value.clone(),
            });
            let term = Term {
                conditions: conditions.collect(),
            };
            format!(" --only {}", quote(&term.to_string()))
        });
        arguments.collect()
    }
}

/// Values of a selection that select nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .unmatched.iter().map(Unmatched::to_string).collect::<Vec<_>>().join("; "))]
pub struct UnmatchedError {
    unmatched: Vec<Unmatched>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Unmatched {
    key: Key,
    value: String,
    /// Whether a cell has it that is not selected for another reason.
    is_known: bool,
    /// What there is instead; with `is_known`, under the other conditions.
    known: Vec<String>,
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, .. } = self;
        let condition = format!("{}={}", key.as_str(), quoted(value));
        match (self.is_known, self.known.is_empty()) {
            (false, _) => write!(f, "no cell has {condition}")?,
            (true, false) => write!(f, "no selected cell has {condition}")?,
            (true, true) => return write!(f, "no cell has {condition} and the other values"),
        }
        let shown = &self.known[..self.known.len().min(LISTED)];
        let more = match self.known.len() - shown.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        if !shown.is_empty() {
            write!(f, ", expected {}{more}", shown.join(", "))?;
        }
        Ok(())
    }
}
