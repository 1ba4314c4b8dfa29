//! Content keys.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::sha256_hex;

/// SHA-256 over the canonical JSON of everything that can change a result.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// The key of `inputs`; the order of object keys does not matter.
    pub fn of(inputs: &Value) -> Self {
        let mut text = String::new();
        canonical(inputs, &mut text);
        Self(sha256_hex(text.as_bytes()))
    }

    /// The key in lower-case hexadecimal.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// JSON without spaces and with sorted object keys.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_key_depends_on_values_and_not_on_their_order() {
        let key = |value: Value| Key::of(&value);
        assert_eq!(
            key(json!({"a": 1, "b": {"c": [1, 2], "d": null}})),
            key(json!({"b": {"d": null, "c": [1, 2]}, "a": 1})),
        );
        assert_ne!(key(json!({"a": [1, 2]})), key(json!({"a": [2, 1]})));
        assert_ne!(key(json!({"a": 1})), key(json!({"a": "1"})));
        assert_ne!(key(json!({"a": "b,c"})), key(json!({"a": ["b", "c"]})));
    }
}
