//! The keys of a method's configuration, from its JSON Schema.

use std::fmt;

use serde_json::{Map, Value};

/// Nested objects that are entered: a schema may refer to itself.
const DEEPEST: usize = 4;

/// A key that a suite can set under `config:`.
#[derive(Debug, PartialEq)]
pub(super) struct ConfigOption {
    /// With the names of the objects that it is in: `context.length`.
    key: String,
    /// `integer`, `one of "a", "b"`, …
    kind: String,
    default: Option<Value>,
    description: String,
}

impl fmt::Display for ConfigOption {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.key)?;
        if !self.kind.is_empty() {
            write!(out, " ({})", self.kind)?;
        }
        if let Some(default) = &self.default {
            write!(out, " = {default}")?;
        }
        if !self.description.is_empty() {
            write!(out, ": {}", self.description)?;
        }
        Ok(())
    }
}

/// Every key, in the order of the schema.
pub(super) fn options(schema: &Value) -> Vec<ConfigOption> {
    let mut found = Vec::new();
    let reader = Reader { root: schema };
    reader.read(schema, "", schema.get("default"), DEEPEST, &mut found);
    found
}

struct Reader<'s> {
    root: &'s Value,
}

impl Reader<'_> {
    fn read(
        &self,
        schema: &Value,
        prefix: &str,
        default: Option<&Value>,
        depth: usize,
        found: &mut Vec<ConfigOption>,
    ) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.unwrap_or(&Map::new()) {
            let key = format!("{prefix}{name}");
            let target = self.resolve(property);
            let own = property.get("default").or_else(|| target.get("default"));
            let default = own.or_else(|| default?.get(name));
            if depth > 0 && target.get("properties").is_some() {
                self.read(target, &format!("{key}."), default, depth - 1, found);
                continue;
            }
            let description = property.get("description");
            let description = description.or_else(|| target.get("description"));
            found.push(ConfigOption {
                key,
                kind: joined(self.kinds(target, DEEPEST)),
                default: default.cloned(),
                description: one_paragraph(description.and_then(Value::as_str).unwrap_or_default()),
            });
        }
    }

    /// What a `$ref` into the schema's own definitions refers to.
    fn resolve<'v>(&'v self, schema: &'v Value) -> &'v Value {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
        pointer
            .and_then(|pointer| self.root.pointer(pointer))
            .unwrap_or(schema)
    }

    /// The values or types that a schema allows; several of nested alternatives are one list.
    fn kinds(&self, schema: &Value, depth: usize) -> Vec<String> {
        let schema = self.resolve(schema);
        if let Some(value) = schema.get("const") {
            return vec![value.to_string()];
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.iter().map(Value::to_string).collect();
        }
        for several in ["oneOf", "anyOf"] {
            if let Some(kinds) = schema.get(several).and_then(Value::as_array)
                && depth > 0
            {
                let kinds = kinds.iter();
                return kinds.flat_map(|kind| self.kinds(kind, depth - 1)).collect();
            }
        }
        match schema.get("type") {
            Some(Value::String(kind)) => vec![kind.clone()],
            Some(Value::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                kinds.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Alternatives of a value that are named.
const MOST_KINDS: usize = 8;

fn joined(mut kinds: Vec<String>) -> String {
    if kinds.len() > MOST_KINDS {
        let more = kinds.split_off(MOST_KINDS - 1).len();
        kinds.push(format!("{more} more"));
    }
    kinds.join(" or ")
}

fn one_paragraph(text: &str) -> String {
    let first = text.split("\n\n").next().unwrap_or_default();
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_have_their_type_default_and_description() {
        let schema = json!({
            "properties": {
                "context": {"$ref": "#/$defs/Context", "default": {"length": 4}},
                "mode": {"$ref": "#/$defs/Mode", "default": "a"},
                "weights": {"type": ["array", "null"], "default": null},
            },
            "$defs": {
                "Context": {"properties": {
                    "length": {"type": "integer", "description": "Number of\n vectors.\n\nMore."},
                }},
                "Mode": {"oneOf": [{"const": "a"}, {"enum": ["b", "c"]}]},
            },
        });
        let lines: Vec<String> = options(&schema).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "context.length (integer) = 4: Number of vectors.",
                "mode (\"a\" or \"b\" or \"c\") = \"a\"",
                "weights (array or null) = null",
            ]
        );
    }

    #[test]
    fn schemas_without_keys_or_end_are_read() {
        assert_eq!(options(&Value::Null), []);
        let endless = json!({"properties": {"a": {"$ref": "#"}}});
        assert_eq!(options(&endless).len(), 1);
    }
}
