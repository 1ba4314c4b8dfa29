//! Compares a node with a JSON Schema and reports the differences.
//!
//! Covers what schemars writes for plain types: references, alternatives, types,
//! enumerations, ranges, lengths, properties and items. Serves for the suite
//! itself and for the configuration of every method.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::tree::{Node, Value};
use super::{Mistake, hint};

/// Compares `node` with `schema`. `name` is what messages call the value.
pub(crate) fn check(node: &Node, schema: &Json, name: &str) -> Vec<Mistake> {
    let mut shape = Shape {
        root: schema,
        found: Vec::new(),
    };
    shape.node(node, schema, name);
    shape.found
}

struct Shape<'s> {
    root: &'s Json,
    found: Vec<Mistake>,
}

impl<'s> Shape<'s> {
    fn node(&mut self, node: &Node, schema: &'s Json, name: &str) {
        // `true` and whatever is not an object allow everything.
        let Some(schema) = self.resolve(schema) else {
            return;
        };
        for key in ["anyOf", "oneOf"] {
            if let Some(branches) = schema.get(key).and_then(Json::as_array) {
                self.alternatives(node, branches, name);
            }
        }
        for part in schema
            .get("allOf")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
        {
            self.node(node, part, name);
        }
        if is_not_finite(node) {
            self.found.push(Mistake::new(
                node.mark,
                format!("{name}: expected a finite number"),
            ));
            return;
        }
        if !admits(schema, node) {
            self.wrong_type(node, &types(schema), kinds(schema), name);
            return;
        }
        self.choice(node, schema, name);
        match &node.value {
            Value::Scalar { .. } => self.scalar(node, schema, name),
            Value::List(items) => self.list(node, items, schema, name),
            Value::Map(_) => self.map(node, schema, name),
        }
    }

    fn wrong_type(&mut self, node: &Node, types: &[&str], mut kinds: Vec<String>, name: &str) {
        // A key can be left out, so that "nothing" is no advice beside other kinds.
        if kinds.len() > 1 {
            kinds.retain(|kind| kind != article("null"));
        }
        let mut mistake = Mistake::new(
            node.mark,
            format!(
                "{name}: expected {}, found {}",
                any_of(&kinds),
                describe(node)
            ),
        );
        mistake.hint = hint::wrong_type(types, node, name.trim_matches('"'));
        self.found.push(mistake);
    }

    /// Follows references; `None` if the schema says nothing.
    fn resolve(&self, mut schema: &'s Json) -> Option<&'s Map<String, Json>> {
        for _ in 0..8 {
            let object = schema.as_object()?;
            let Some(reference) = object.get("$ref").and_then(Json::as_str) else {
                return Some(object);
            };
            schema = self.root.pointer(reference.strip_prefix('#')?)?;
        }
        None
    }

    /// Reports the branch that the node's type points at.
    fn alternatives(&mut self, node: &Node, branches: &'s [Json], name: &str) {
        let root = self.root;
        let mut results = Vec::new();
        let mut expected = Vec::new();
        let mut expected_types = Vec::new();
        let mut values = Vec::new();
        for branch in branches {
            let Some(schema) = self.resolve(branch) else {
                return;
            };
            for kind in kinds(schema) {
                if !expected.contains(&kind) {
                    expected.push(kind);
                }
            }
            expected_types.extend(types(schema));
            values.extend(allowed(schema));
            if admits(schema, node) {
                let mut shape = Shape {
                    root,
                    found: Vec::new(),
                };
                shape.node(node, branch, name);
                // Of two forms of a mapping that share no key with it, the first says more.
                let has_key = required(schema).any(|key| node.get(key).is_some());
                let rank = match has_key || node.entries().is_empty() {
                    true => (false, shape.found.len()),
                    false => (true, results.len()),
                };
                results.push((rank, shape.found));
            }
        }
        if results.iter().any(|(_, found)| found.is_empty()) {
            return;
        }
        let only_values = results.len() > 1 && !values.is_empty();
        if only_values {
            self.not_among(node, &values, name);
        } else if let Some((_, best)) = results.into_iter().min_by_key(|(rank, _)| *rank) {
            self.found.extend(best);
        } else {
            self.wrong_type(node, &expected_types, expected, name);
        }
    }

    fn choice(&mut self, node: &Node, schema: &Map<String, Json>, name: &str) {
        let values = allowed(schema);
        if !values.is_empty() && !values.contains(&&node.to_json()) {
            self.not_among(node, &values, name);
        }
    }

    fn not_among(&mut self, node: &Node, values: &[&Json], name: &str) {
        let names: Vec<String> = values.iter().map(|value| plain(value)).collect();
        let message = format!("{name}: unknown value {}", describe(node));
        let mistake = Mistake::new(node.mark, message);
        self.found
            .push(mistake.meant(&plain(&node.to_json()), names.iter().map(String::as_str)));
    }

    fn scalar(&mut self, node: &Node, schema: &Map<String, Json>, name: &str) {
        let value = node.to_json();
        if let Some(text) = value.as_str() {
            let least = schema.get("minLength").and_then(Json::as_u64).unwrap_or(0);
            if (text.chars().count() as u64) < least {
                self.found.push(Mistake::new(
                    node.mark,
                    format!("{name}: the text is empty"),
                ));
            }
        }
        let Some(number) = value.as_f64() else {
            return;
        };
        let bound = |key: &str| schema.get(key).and_then(Json::as_f64);
        let widest = match schema.get("format").and_then(Json::as_str) {
            Some("uint8") => Some(f64::from(u8::MAX)),
            Some("uint16") => Some(f64::from(u16::MAX)),
            Some("uint32") => Some(f64::from(u32::MAX)),
            _ => None,
        };
        let rules = [
            (bound("minimum"), "at least", true),
            (bound("exclusiveMinimum"), "more than", true),
            (bound("maximum").or(widest), "at most", false),
            (bound("exclusiveMaximum"), "less than", false),
        ];
        for (limit, words, is_lower) in rules {
            let Some(limit) = limit else { continue };
            let strict = words.ends_with("than");
            let bad = match (is_lower, strict) {
                (true, false) => number < limit,
                (true, true) => number <= limit,
                (false, false) => number > limit,
                (false, true) => number >= limit,
            };
            if bad {
                self.found.push(Mistake::new(
                    node.mark,
                    format!("{name}: expected {words} {limit}, found {value}"),
                ));
            }
        }
    }

    fn list(&mut self, node: &Node, items: &[Node], schema: &'s Map<String, Json>, name: &str) {
        let least = schema.get("minItems").and_then(Json::as_u64).unwrap_or(0);
        if (items.len() as u64) < least {
            let message = if items.is_empty() {
                format!("{name}: the list is empty")
            } else {
                format!(
                    "{name}: expected at least {least} entries, found {}",
                    items.len()
                )
            };
            self.found.push(Mistake::new(node.mark, message));
        }
        let most = schema.get("maxItems").and_then(Json::as_u64);
        if let Some(most) = most.filter(|most| items.len() as u64 > *most) {
            let message = format!(
                "{name}: expected at most {most} entries, found {}",
                items.len()
            );
            self.found.push(Mistake::new(node.mark, message));
        }
        if schema.get("uniqueItems") == Some(&Json::Bool(true)) {
            let mut seen = HashMap::new();
            for item in items {
                let first = *seen.entry(item.to_json().to_string()).or_insert(item.mark);
                if first != item.mark {
                    self.found.push(Mistake::new(
                        item.mark,
                        format!(
                            "{name}: duplicate entry {}, first on line {}",
                            describe(item),
                            first.line
                        ),
                    ));
                }
            }
        }
        if let Some(schema) = schema.get("items") {
            for item in items {
                self.node(item, schema, name);
            }
        }
    }

    fn map(&mut self, node: &Node, schema: &'s Map<String, Json>, name: &str) {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Json::as_object);
        let rest = schema.get("additionalProperties");
        for (key, value) in node.entries() {
            let named = format!("{:?}", key.text);
            match (properties.and_then(|known| known.get(&key.text)), rest) {
                (Some(schema), _) => self.node(value, schema, &named),
                (None, Some(Json::Bool(false))) => {
                    let known = properties.unwrap_or(&empty).keys().map(String::as_str);
                    let known: Vec<&str> = known.collect();
                    let mistake = Mistake::new(key.mark, format!("unknown key {named}"));
                    self.found.push(match hint::synonym(&key.text, &known) {
                        Some(meant) => mistake.hint(format!("did you mean {meant:?}?")),
                        None => mistake.meant(&key.text, known),
                    });
                }
                (None, Some(schema)) => self.node(value, schema, &named),
                (None, None) => {}
            }
        }
        for key in required(schema) {
            if node.get(key).is_none() {
                let message = format!("{name}: the key {key:?} is missing");
                let mut mistake = Mistake::new(node.mark, message);
                mistake.hint = hint::example(key).map(str::to_owned);
                self.found.push(mistake);
            }
        }
    }
}

/// The keys that a mapping must have.
fn required(schema: &Map<String, Json>) -> impl Iterator<Item = &str> {
    let keys = schema.get("required").and_then(Json::as_array);
    keys.into_iter().flatten().filter_map(Json::as_str)
}

/// The values that a schema enumerates.
fn allowed(schema: &Map<String, Json>) -> Vec<&Json> {
    let listed = schema.get("enum").and_then(Json::as_array);
    listed
        .into_iter()
        .flatten()
        .chain(schema.get("const"))
        .collect()
}

fn types(schema: &Map<String, Json>) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What a schema expects, in words: its values, or else its types.
fn kinds(schema: &Map<String, Json>) -> Vec<String> {
    let values = allowed(schema);
    if values.is_empty() {
        let types = types(schema).into_iter();
        return types.map(|name| article(name).to_owned()).collect();
    }
    let values = values.into_iter();
    values.map(|value| format!("`{}`", plain(value))).collect()
}

/// `a, b or c`.
fn any_of(kinds: &[String]) -> String {
    match kinds {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        all => all.concat(),
    }
}

/// Whether the node has a type that the schema allows.
fn admits(schema: &Map<String, Json>, node: &Node) -> bool {
    let types = types(schema);
    types.is_empty()
        || types.iter().any(|name| match (&node.value, *name) {
            (Value::List(_), "array") | (Value::Map(_), "object") => true,
            (Value::Scalar { .. }, name) => match node.to_json() {
                Json::String(_) => name == "string",
                Json::Bool(_) => name == "boolean",
                Json::Null => name == "null",
                Json::Number(number) => name == "number" || name == "integer" && !number.is_f64(),
                Json::Array(_) | Json::Object(_) => false,
            },
            _ => false,
        })
}

/// `.nan` and `.inf`, which JSON turns into null.
fn is_not_finite(node: &Node) -> bool {
    let Value::Scalar { text, plain: true } = &node.value else {
        return false;
    };
    node.to_json().is_null() && !matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
}

fn article(name: &str) -> &str {
    match name {
        "array" => "a list",
        "object" => "a mapping",
        "string" => "text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "null" => "nothing",
        other => other,
    }
}

fn describe(node: &Node) -> String {
    match &node.value {
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a mapping".to_owned(),
        Value::Scalar { .. } => match node.to_json() {
            Json::Null => "nothing".to_owned(),
            value => value.to_string(),
        },
    }
}

fn plain(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
