//! JSON on top of JSON.

use serde_json::Value;

/// Puts `above` on top of `below`: objects are merged key by key, anything else is replaced.
pub(super) fn overlay(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                overlay(below.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::overlay;

    #[test]
    fn overrides_of_an_entry_go_on_top_of_the_suites() {
        let mut recipe = json!({"epochs": 20, "optimizer": {"lr": 1, "momentum": 2}});
        overlay(&mut recipe, &json!({"optimizer": {"lr": 3}, "batch": 4}));
        assert_eq!(
            recipe,
            json!({"epochs": 20, "optimizer": {"lr": 3, "momentum": 2}, "batch": 4})
        );
    }
}
