//! Enumerations and recipes of a card in words.

use harness_engine::cards::Recipe;
use serde_json::Value;

/// An enumeration's value as the wire spells it.
pub(crate) fn word(value: serde_json::Result<Value>) -> String {
    match value {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// `sgd, lr 0.002, epoch-cosine, 50 epochs, batch 32`.
pub(crate) fn recipe(recipe: Option<&Recipe>) -> String {
    let Some(recipe) = recipe else {
        return "not stated".to_owned();
    };
    if recipe.epochs == 0 {
        return "no training".to_owned();
    }
    let length = match recipe.steps_per_shot {
        Some(steps) => format!("{steps} steps per shot"),
        None => format!("{} epochs", recipe.epochs),
    };
    format!(
        "{}, lr {}, {}, {length}, batch {}",
        word(serde_json::to_value(recipe.optimizer)),
        recipe.lr,
        word(serde_json::to_value(recipe.schedule)),
        recipe.batch
    )
}
