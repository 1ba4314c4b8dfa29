//! The common recipe: every method trained alike.

use harness_abi::wire::{MethodCard, OptimizerKind, RecipeChanges, Schedule};
use serde_json::{Map, Value, json};

/// CoOp's protocol at 50 epochs: every field that decides a training.
fn recipe() -> RecipeChanges {
    RecipeChanges {
        optimizer: Some(OptimizerKind::Sgd),
        lr: Some(2e-3),
        momentum: Some(0.9),
        weight_decay: Some(5e-4),
        schedule: Some(Schedule::EpochCosine),
        warmup_epochs: Some(1),
        warmup_lr: Some(1e-5),
        epochs: Some(50),
        batch: Some(32),
        ..RecipeChanges::default()
    }
}

/// The common recipe as changes to a method's own. A method without training keeps its
/// own: with steps it would be another method.
pub(super) fn recipe_changes(card: &MethodCard) -> RecipeChanges {
    match &card.recipe {
        Some(own) if own.epochs == 0 => RecipeChanges::default(),
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

/// Puts a configuration on top of another.
fn overlay(below: &mut Value, above: &Value) {
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
    use harness_abi::wire::Recipe;

    use super::*;

    fn card(epochs: usize, properties: Value) -> MethodCard {
        let card = json!({
            "id": "m", "title": "", "paper": "", "family": "input", "depth": "",
            "sites": [], "needs": [], "data": "features", "carried": [], "recomputed": [],
            "recipe": Recipe { epochs, ..Recipe::default() },
            "config_schema": {"properties": properties},
        });
        serde_json::from_value(card).unwrap()
    }

    #[test]
    fn what_is_not_trained_stays_untrained() {
        let untrained = recipe_changes(&card(0, json!({})));
        assert_eq!(untrained, RecipeChanges::default());
        let changes = recipe_changes(&card(200, json!({})));
        assert_eq!((changes.epochs, changes.batch), (Some(50), Some(32)));
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
