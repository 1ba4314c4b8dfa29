//! Plain values that a checkpoint has beside its tensors.

use std::collections::BTreeMap;

use crate::pickle::{Arena, Id, Value};

/// A number, a text, or a list of texts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Setting {
    Number(f64),
    Text(String),
    List(Vec<String>),
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::List(texts) => f.write_str(&texts.join(", ")),
        }
    }
}

/// The plain values of a dict: of `metadata`, and of the entries beside it.
pub(crate) fn settings(arena: &Arena, root: Id) -> BTreeMap<String, Setting> {
    let mut found = BTreeMap::new();
    let Value::Dict(entries) = arena.get(root) else {
        return found;
    };
    for (key, value) in entries {
        match (arena.text(*key), arena.get(*value)) {
            (Some("metadata"), Value::Dict(inner)) => {
                for (key, value) in inner {
                    insert(&mut found, arena, *key, *value);
                }
            }
            _ => insert(&mut found, arena, *key, *value),
        }
    }
    found
}

fn insert(found: &mut BTreeMap<String, Setting>, arena: &Arena, key: Id, value: Id) {
    let setting = match arena.get(value) {
        Value::Int(number) => Some(Setting::Number(*number as f64)),
        Value::Float(number) => Some(Setting::Number(*number)),
        Value::Text(text) => Some(Setting::Text(text.clone())),
        Value::List(items) | Value::Tuple(items) => {
            let texts: Option<Vec<String>> = items
                .iter()
                .map(|item| arena.text(*item).map(str::to_owned))
                .collect();
            texts.map(Setting::List)
        }
        _ => None,
    };
    if let (Some(key), Some(setting)) = (arena.text(key), setting) {
        found.insert(key.to_owned(), setting);
    }
}
