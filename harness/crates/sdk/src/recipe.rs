//! How a method is trained: optimiser, schedule, epochs and batch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error, Result,
    optimizer::OptimizerKind,
    schedule::{Rates, Schedule},
};

/// A training recipe. Every field can be overridden by name in a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub optimizer: OptimizerKind,
    pub lr: f64,
    /// SGD only.
    pub momentum: f64,
    /// Coupled (an L2 term in the gradient) for SGD and Adam, decoupled for AdamW.
    pub weight_decay: f64,
    /// Adam and AdamW only.
    pub betas: [f64; 2],
    /// Adam and AdamW only.
    pub eps: f64,
    pub schedule: Schedule,
    /// Epochs at `warmup_lr` before an epoch-wise cosine.
    pub warmup_epochs: usize,
    pub warmup_lr: f64,
    /// End of a step-wise cosine.
    pub min_lr: f64,
    /// 0 leaves the parameters as they begin or were built.
    pub epochs: usize,
    /// Steps for every shot, in place of `epochs`; a suite that says `epochs` ends it.
    pub steps_per_shot: Option<usize>,
    /// Images per step. Like Dassl, the last incomplete batch of an epoch is
    /// dropped only when there are at least `batch` images.
    pub batch: usize,
}

impl Default for Recipe {
    /// CoOp's protocol: SGD 2e-3, momentum 0.9, decay 5e-4, one constant warm-up
    /// epoch, epoch-wise cosine, 50 epochs of batches of 32.
    fn default() -> Self {
        Self {
            optimizer: OptimizerKind::Sgd,
            lr: 2e-3,
            momentum: 0.9,
            weight_decay: 5e-4,
            betas: [0.9, 0.999],
            eps: 1e-8,
            schedule: Schedule::EpochCosine,
            warmup_epochs: 1,
            warmup_lr: 1e-5,
            min_lr: 0.0,
            epochs: 50,
            steps_per_shot: None,
            batch: 32,
        }
    }
}

impl Recipe {
    /// The recipe with the fields of a JSON object replaced; an unknown field or
    /// an impossible value is an error that names it.
    pub fn overridden(&self, overrides: &Value) -> Result<Self> {
        let mut merged = serde_json::to_value(self)?;
        match (merged.as_object_mut(), overrides) {
            (_, Value::Null) => {}
            (Some(fields), Value::Object(new)) => {
                if new.contains_key("epochs") {
                    fields.insert("steps_per_shot".to_owned(), Value::Null);
                }
                for (key, value) in new {
                    fields.insert(key.clone(), value.clone());
                }
            }
            _ => {
                return Err(Error::Config(format!(
                    "recipe: expected a mapping, found {overrides}"
                )));
            }
        }
        let recipe: Self =
            serde_json::from_value(merged).map_err(|e| Error::Config(format!("recipe: {e}")))?;
        recipe.checked()
    }

    fn checked(self) -> Result<Self> {
        let fail = |text: &str| Err(Error::Config(format!("recipe: {text}")));
        if self.batch == 0 {
            return fail("batch must be at least 1");
        }
        let rates = [self.lr, self.warmup_lr, self.min_lr, self.weight_decay];
        if rates.iter().any(|r| !r.is_finite() || *r < 0.0) || self.lr == 0.0 {
            return fail("lr must be positive; the other rates must not be negative");
        }
        if !(0.0..1.0).contains(&self.momentum)
            || self.betas.iter().any(|b| !(0.0..1.0).contains(b))
            || self.eps <= 0.0
        {
            return fail("momentum and betas must lie in [0, 1), eps above 0");
        }
        Ok(self)
    }

    pub(crate) fn rates(&self) -> Rates {
        Rates {
            lr: self.lr,
            min_lr: self.min_lr,
            warmup_epochs: self.warmup_epochs,
            warmup_lr: self.warmup_lr,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn overrides_replace_fields_by_name() {
        let recipe = Recipe::default()
            .overridden(&json!({"epochs": 3, "optimizer": "adam-w"}))
            .unwrap();
        assert_eq!((recipe.epochs, recipe.batch), (3, 32));
        assert_eq!(recipe.optimizer, OptimizerKind::AdamW);
        let steps = Recipe {
            steps_per_shot: Some(500),
            ..Recipe::default()
        };
        let by_epochs = steps.overridden(&json!({"epochs": 3})).unwrap();
        assert_eq!((by_epochs.epochs, by_epochs.steps_per_shot), (3, None));
        let same = Recipe::default().overridden(&Value::Null).unwrap();
        assert_eq!(same, Recipe::default());
    }

    #[test]
    fn mistakes_are_named() {
        for (overrides, says) in [
            (json!({"epoch": 3}), "unknown field `epoch`"),
            (json!({"batch": 0}), "batch must be at least 1"),
            (json!({"lr": -1.0}), "lr must be positive"),
            (json!({"momentum": 1.0}), "momentum"),
            (json!([1]), "expected a mapping"),
        ] {
            let error = Recipe::default().overridden(&overrides).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}
