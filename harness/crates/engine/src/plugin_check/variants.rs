//! Configurations that a schema allows.

use serde_json::{Map, Value};

/// Nested objects that are entered: a schema may refer to itself.
const DEEPEST: usize = 3;

/// The default configuration and, one at a time, every other value of its booleans and
/// enumerations. Numbers have no list of values; `--config` sets them.
pub fn variants(schema: &Value) -> Vec<Value> {
    let mut found = vec![Value::Object(Map::new())];
    enter(
        schema,
        schema,
        schema.get("default"),
        &mut Vec::new(),
        &mut found,
    );
    found
}

fn enter(
    root: &Value,
    schema: &Value,
    default: Option<&Value>,
    path: &mut Vec<String>,
    found: &mut Vec<Value>,
) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let target = resolve(root, property);
        let own = property.get("default").or_else(|| target.get("default"));
        let default = own.or_else(|| default?.get(name));
        path.push(name.clone());
        if path.len() <= DEEPEST && target.get("properties").is_some() {
            enter(root, target, default, path, found);
        } else {
            let others = values(root, target).into_iter();
            let others = others.filter(|value| Some(value) != default);
            found.extend(others.map(|value| nested(path, value)));
        }
        path.pop();
    }
}

fn values(root: &Value, schema: &Value) -> Vec<Value> {
    let schema = resolve(root, schema);
    if let Some(value) = schema.get("const") {
        return vec![value.clone()];
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.clone();
    }
    if let Some(kinds) = schema.get("oneOf").and_then(Value::as_array) {
        return kinds.iter().flat_map(|kind| values(root, kind)).collect();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => vec![false.into(), true.into()],
        _ => Vec::new(),
    }
}

fn nested(path: &[String], value: Value) -> Value {
    path.iter().rev().fold(value, |value, name| {
        Value::Object(Map::from_iter([(name.clone(), value)]))
    })
}

/// What a `$ref` into the schema's own definitions refers to.
fn resolve<'v>(root: &'v Value, schema: &'v Value) -> &'v Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
    pointer
        .and_then(|pointer| root.pointer(pointer))
        .unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn booleans_and_enumerations_are_varied_one_at_a_time() {
        let schema = json!({
            "properties": {
                "shared": {"type": "boolean", "default": true},
                "inner": {"$ref": "#/$defs/Inner"},
                "rate": {"type": "number", "default": 0.1},
            },
            "$defs": {
                "Inner": {"properties": {"mode": {"$ref": "#/$defs/Mode", "default": "a"}}},
                "Mode": {"oneOf": [{"const": "a"}, {"const": "b"}]},
            },
        });
        assert_eq!(
            variants(&schema),
            [
                json!({}),
                json!({"shared": false}),
                json!({"inner": {"mode": "b"}})
            ]
        );
        assert_eq!(variants(&Value::Null), [json!({})]);
    }
}
