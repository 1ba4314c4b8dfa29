//! Enumerations and recipes of a card in words.

use serde_json::Value;

/// An enumeration's value as the wire spells it.
pub(crate) fn word(value: serde_json::Result<Value>) -> String {
    match value {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// `sgd, lr 0.002, epoch-cosine, 50 epochs, batch 32`.
pub(crate) fn recipe(recipe: &Value) -> String {
    let text = |key: &str| match recipe.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "?".to_owned(),
    };
    if recipe.get("epochs").and_then(Value::as_u64) == Some(0) {
        return "no training".to_owned();
    }
    let length = match recipe.get("steps_per_shot").and_then(Value::as_u64) {
        Some(steps) => format!("{steps} steps a shot"),
        None => format!("{} epochs", text("epochs")),
    };
    format!(
        "{}, lr {}, {}, {length}, batch {}",
        text("optimizer"),
        text("lr"),
        text("schedule"),
        text("batch")
    )
}
