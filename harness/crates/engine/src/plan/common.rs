//! The common recipe: every method trained alike.

use harness_abi::wire::MethodCard;
use serde_json::{Map, Value, json};

use super::overlay::overlay;

/// CoOp's protocol at 50 epochs, every field that decides a training.
fn recipe() -> Value {
    json!({
        "optimizer": "sgd",
        "lr": 2e-3,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "schedule": "epoch-cosine",
        "warmup_epochs": 1,
        "warmup_lr": 1e-5,
        "epochs": 50,
        "batch": 32,
    })
}

/// The common recipe as changes to a method's own. A method that is not trained at
/// all stays untrained: with steps it would be another method.
pub(super) fn recipe_changes(card: &MethodCard) -> Value {
    match card.recipe.get("epochs").and_then(Value::as_u64) {
        Some(0) => json!({}),
        _ => recipe(),
    }
}

/// A configuration with the common context below it, where the method has a context:
/// 4 vectors that begin as "a photo of a".
pub(super) fn config(card: &MethodCard, own: &Map<String, Value>) -> Value {
    let mut config = json!({});
    if card.config_schema.pointer("/properties/context").is_some() {
        config = json!({"context": {"length": 4, "init": "a photo of a"}});
    }
    overlay(&mut config, &Value::Object(own.clone()));
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(epochs: u64, properties: Value) -> MethodCard {
        let card = json!({
            "id": "m", "title": "", "paper": "", "family": "input", "depth": "",
            "sites": [], "needs": [], "data": "features", "carried": [], "recomputed": [],
            "recipe": {"epochs": epochs, "lr": 1.0},
            "config_schema": {"properties": properties},
        });
        serde_json::from_value(card).unwrap()
    }

    #[test]
    fn what_is_not_trained_stays_untrained() {
        assert_eq!(recipe_changes(&card(0, json!({}))), json!({}));
        let changes = recipe_changes(&card(200, json!({})));
        assert_eq!(
            (&changes["epochs"], &changes["batch"]),
            (&json!(50), &json!(32))
        );
    }

    #[test]
    fn a_context_is_the_common_one_unless_the_suite_says_more() {
        let own = json!({"context": {"length": 8}, "lambda": 2.0});
        let own = own.as_object().unwrap();
        assert_eq!(
            config(&card(1, json!({"context": {}})), own),
            json!({"context": {"length": 8, "init": "a photo of a"}, "lambda": 2.0})
        );
        assert_eq!(config(&card(1, json!({})), &Map::new()), json!({}));
    }
}
