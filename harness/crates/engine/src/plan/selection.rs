//! `--only KEY=VALUE,…`: which cells of a suite are run.

use std::fmt;
use std::str::FromStr;

use harness_report::Cell;

/// The keys a selection may name.
const KEYS: [&str; 6] = ["method", "dataset", "source", "target", "shots", "seed"];

/// Conditions that all have to hold; without any, everything is selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub terms: Vec<Term>,
}

/// One `KEY=VALUE,…`: the key has one of the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    key: &'static str,
    values: Vec<String>,
}

/// A selection that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    #[error("{found:?} is not of the form KEY=VALUE, such as `method=coop`")]
    Form { found: String },
    #[error("unknown key {found:?}, expected one of {}", KEYS.join(", "))]
    Key { found: String },
}

impl FromStr for Term {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        let form = || SelectionError::Form {
            found: text.to_owned(),
        };
        let (key, values) = text.split_once('=').ok_or_else(form)?;
        let key = KEYS
            .into_iter()
            .find(|known| *known == key)
            .ok_or_else(|| SelectionError::Key {
                found: key.to_owned(),
            })?;
        let values: Vec<String> = values.split(',').map(str::to_owned).collect();
        if values.iter().any(String::is_empty) {
            return Err(form());
        }
        Ok(Self { key, values })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.values.join(","))
    }
}

impl Selection {
    /// Whether a cell of a report is selected.
    pub fn admits_cell(&self, cell: &Cell) -> bool {
        self.admits(|key| match key {
            "method" => cell.method.as_str().into(),
            "dataset" => cell.dataset.as_str().into(),
            "source" => cell.upgrade.source.as_str().into(),
            "target" => cell.upgrade.target.as_str().into(),
            "shots" => cell.shots.to_string().into(),
            _ => cell.seed.to_string().into(),
        })
    }

    /// Whether the cell with these coordinates is selected; `value` gives the
    /// coordinate of a key.
    pub(crate) fn admits<'v>(&self, value: impl Fn(&str) -> std::borrow::Cow<'v, str>) -> bool {
        self.terms
            .iter()
            .all(|term| term.values.iter().any(|wanted| *wanted == value(term.key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(terms: &[&str]) -> bool {
        let selection = Selection {
            terms: terms.iter().map(|term| term.parse().unwrap()).collect(),
        };
        selection.admits(|key| match key {
            "method" => "coop".into(),
            "seed" => 2.to_string().into(),
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
