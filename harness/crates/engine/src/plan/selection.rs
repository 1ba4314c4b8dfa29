//! `--only KEY=VALUE,…`: which cells of a suite are run.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use harness_report::Cell;

/// What a selection may name of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinate {
    Method,
    Dataset,
    Source,
    Target,
    Shots,
    Seed,
}

impl Coordinate {
    const ALL: [Self; 6] = [
        Self::Method,
        Self::Dataset,
        Self::Source,
        Self::Target,
        Self::Shots,
        Self::Seed,
    ];

    /// The coordinate that a key of the command line names.
    fn named(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == key)
    }

    /// The key on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Dataset => "dataset",
            Self::Source => "source",
            Self::Target => "target",
            Self::Shots => "shots",
            Self::Seed => "seed",
        }
    }
}

/// Conditions that all have to hold; without any, everything is selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub terms: Vec<Term>,
}

/// `KEY=VALUE,…`: the key has one of the values. Several keys in one term, as in
/// `method=coop,kgcoop,seed=1`, all have to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    coordinate: Coordinate,
    values: Vec<String>,
}

/// Why a selection is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    #[error("{found:?} is not of the form KEY=VALUE, such as `method=coop`")]
    Form { found: String },
    #[error("unknown key {found:?}, expected one of {}", Coordinate::ALL.map(Coordinate::as_str).join(", "))]
    Key { found: String },
}

impl FromStr for Term {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        let form = || SelectionError::Form {
            found: text.to_owned(),
        };
        let mut conditions: Vec<Condition> = Vec::new();
        for part in text.split(',') {
            let value = match (part.split_once('='), conditions.is_empty()) {
                (Some((key, value)), first) => match Coordinate::named(key) {
                    Some(coordinate) => {
                        conditions.push(Condition {
                            coordinate,
                            values: Vec::new(),
                        });
                        value
                    }
                    // A value may have an equals sign of its own.
                    None if !first => part,
                    None => {
                        return Err(SelectionError::Key {
                            found: key.to_owned(),
                        });
                    }
                },
                (None, false) => part,
                (None, true) => return Err(form()),
            };
            let last = conditions.last_mut().ok_or_else(form)?;
            if value.is_empty() {
                return Err(form());
            }
            last.values.push(value.to_owned());
        }
        Ok(Self { conditions })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.conditions.iter();
        let parts =
            parts.map(|part| format!("{}={}", part.coordinate.as_str(), part.values.join(",")));
        write!(f, "{}", parts.collect::<Vec<_>>().join(","))
    }
}

impl Selection {
    /// Whether a cell of a report is selected.
    pub fn admits_cell(&self, cell: &Cell) -> bool {
        self.admits(|coordinate| match coordinate {
            Coordinate::Method => cell.method.as_str().into(),
            Coordinate::Dataset => cell.dataset.as_str().into(),
            Coordinate::Source => cell.upgrade.source.as_str().into(),
            Coordinate::Target => cell.upgrade.target.as_str().into(),
            Coordinate::Shots => cell.shots.to_string().into(),
            Coordinate::Seed => cell.seed.to_string().into(),
        })
    }

    /// Whether the cell with these coordinates is selected.
    pub(crate) fn admits<'v>(&self, value: impl Fn(Coordinate) -> Cow<'v, str>) -> bool {
        let mut conditions = self.terms.iter().flat_map(|term| &term.conditions);
        conditions.all(|part| {
            let mut values = part.values.iter();
            values.any(|wanted| *wanted == value(part.coordinate))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(terms: &[&str]) -> bool {
        let selection = Selection {
            terms: terms.iter().map(|term| term.parse().unwrap()).collect(),
        };
        selection.admits(|coordinate| match coordinate {
            Coordinate::Method => "coop".into(),
            Coordinate::Seed => 2.to_string().into(),
            _ => "other".into(),
        })
    }

    #[test]
    fn all_terms_hold_with_one_of_their_values() {
        assert!(admits(&[]));
        assert!(admits(&["method=coop"]));
        assert!(admits(&["method=kgcoop,coop", "seed=1,2"]));
        assert!(!admits(&["method=coop", "seed=1"]));
        assert!(!admits(&["method=coo"]));
        assert!(admits(&["method=kgcoop,coop,seed=1,2"]));
        assert!(!admits(&["method=coop,seed=1"]));
        let term: Term = "method=kgcoop,coop,seed=1,2".parse().unwrap();
        assert_eq!(term.to_string(), "method=kgcoop,coop,seed=1,2");
    }

    #[test]
    fn what_is_no_term_is_refused() {
        for (text, message) in [
            ("method", "KEY=VALUE"),
            ("method=", "KEY=VALUE"),
            ("seed=1,,2", "KEY=VALUE"),
            ("method=coop,seed=", "KEY=VALUE"),
            ("coop,method=coop", "KEY=VALUE"),
            ("methods=coop", "unknown key \"methods\""),
        ] {
            let error = text.parse::<Term>().unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
