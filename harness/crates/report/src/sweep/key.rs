//! Which value of the configuration is varied.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::report::{Method, Report};

/// The key for a sweep over the entries themselves, in the suite's order.
pub const METHOD: &str = "method";

/// Why a report shows no sweep.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    #[error("no method in the report has several values of one number in its configuration")]
    Nothing,
    #[error("several values vary: {}; name one", .0.join(", "))]
    Several(Vec<String>),
    #[error("no method in the report sets the number {0:?} in its configuration")]
    Unknown(String),
}

/// Every leaf of a configuration by its path, `context.length`.
pub(super) fn leaves(config: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    collect("", config, &mut found);
    found
}

fn collect(path: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let dot = if path.is_empty() { "" } else { "." };
                collect(&format!("{path}{dot}{key}"), value, found);
            }
        }
        leaf => {
            found.insert(path.to_owned(), leaf.clone());
        }
    }
}

/// The value that is varied: `wanted`, which may be [`METHOD`], or the only number in which entries of one
/// method differ.
pub(super) fn find(report: &Report, wanted: Option<&str>) -> Result<String, SweepError> {
    if wanted == Some(METHOD) {
        return Ok(METHOD.to_owned());
    }
    if let Some(key) = wanted {
        let is_set = |m: &Method| leaves(&m.config).get(key).is_some_and(Value::is_number);
        return match report.methods.iter().any(is_set) {
            true => Ok(key.to_owned()),
            false => Err(SweepError::Unknown(key.to_owned())),
        };
    }
    let mut groups: BTreeMap<&str, Vec<BTreeMap<String, Value>>> = BTreeMap::new();
    for method in &report.methods {
        let group = groups.entry(&method.id).or_default();
        group.push(leaves(&method.config));
    }
    let mut varied = BTreeSet::new();
    for configs in groups.values() {
        let Some((first, rest)) = configs.split_first() else {
            continue;
        };
        for (key, value) in first {
            let numbers = configs
                .iter()
                .all(|c| c.get(key).is_some_and(Value::is_number));
            if numbers && rest.iter().any(|c| c.get(key) != Some(value)) {
                varied.insert(key.clone());
            }
        }
    }
    let varied: Vec<String> = varied.into_iter().collect();
    match &varied[..] {
        [] => Err(SweepError::Nothing),
        [key] => Ok(key.clone()),
        _ => Err(SweepError::Several(varied)),
    }
}
