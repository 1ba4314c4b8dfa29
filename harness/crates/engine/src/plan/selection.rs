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

/// One `KEY=VALUE,…`: the key has one of the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
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
        let (key, values) = text.split_once('=').ok_or_else(form)?;
        let coordinate = Coordinate::ALL
            .into_iter()
            .find(|coordinate| coordinate.as_str() == key)
            .ok_or_else(|| SelectionError::Key {
                found: key.to_owned(),
            })?;
        let values: Vec<String> = values.split(',').map(str::to_owned).collect();
        if values.iter().any(String::is_empty) {
            return Err(form());
        }
        Ok(Self { coordinate, values })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.coordinate.as_str(), self.values.join(","))
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
        self.terms.iter().all(|term| {
            let mut wanted = term.values.iter();
            wanted.any(|wanted| *wanted == value(term.coordinate))
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
    }

    #[test]
    fn what_is_no_term_is_refused() {
        for (text, message) in [
            ("method", "KEY=VALUE"),
            ("method=", "KEY=VALUE"),
            ("seed=1,,2", "KEY=VALUE"),
            ("methods=coop", "unknown key \"methods\""),
        ] {
            let error = text.parse::<Term>().unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
