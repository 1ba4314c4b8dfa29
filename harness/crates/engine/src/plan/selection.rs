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

/// `KEY=VALUE,…`: the key has one of the values. Several keys in one term, as in
/// `method=coop,kgcoop,seed=1`, all have to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
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
        let mut conditions: Vec<Condition> = Vec::new();
        for part in text.split(',') {
            let value = match (part.split_once('='), conditions.is_empty()) {
                (Some((key, value)), first) => match KEYS.into_iter().find(|known| *known == key) {
                    Some(key) => {
                        conditions.push(Condition {
                            key,
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
        let parts = parts.map(|part| format!("{}={}", part.key, part.values.join(",")));
        write!(f, "{}", parts.collect::<Vec<_>>().join(","))
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
        let mut conditions = self.terms.iter().flat_map(|term| &term.conditions);
        conditions.all(|part| part.values.iter().any(|wanted| *wanted == value(part.key)))
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
