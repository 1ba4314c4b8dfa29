//! How a method is trained: optimizer, schedule, epochs and batch size.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// The optimizers, with the update rules of `torch.optim`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// SGD with momentum and coupled weight decay; no dampening, no Nesterov.
    Sgd,
    /// Adam with coupled weight decay (arXiv 1412.6980).
    Adam,
    /// Adam with decoupled weight decay (arXiv 1711.05101).
    AdamW,
}

/// How the learning rate changes during training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Dassl's: `warmup_epochs` epochs at `warmup_lr`, then in epoch e
    /// `lr/2 · (1 + cos(π (e - warmup_epochs) / epochs))`; never reaches 0.
    EpochCosine,
    /// Cosine from `lr` down to `min_lr`, updated every step, no warm-up.
    StepCosine,
    /// `lr` throughout.
    Constant,
}

/// A training recipe. A suite can override every field by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Which optimizer.
    pub optimizer: OptimizerKind,
    /// Learning rate.
    pub lr: f64,
    /// SGD only.
    pub momentum: f64,
    /// Coupled (an L2 term in the gradient) for SGD and Adam, decoupled for AdamW.
    pub weight_decay: f64,
    /// Adam and AdamW only.
    pub betas: [f64; 2],
    /// Adam and AdamW only.
    pub eps: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Epochs at `warmup_lr` before an epoch-wise cosine.
    pub warmup_epochs: usize,
    /// Learning rate during warm-up.
    pub warmup_lr: f64,
    /// Final learning rate of a step-wise cosine.
    pub min_lr: f64,
    /// Passes over the training images; 0 leaves the parameters as initialised or built.
    pub epochs: usize,
    /// Steps per shot, instead of `epochs`; overriding `epochs` clears it.
    pub steps_per_shot: Option<usize>,
    /// Images per step. As in Dassl, the last incomplete batch of an epoch is dropped
    /// unless it is the only one.
    pub batch: usize,
}

impl Default for Recipe {
    /// CoOp's: SGD 2e-3, momentum 0.9, weight decay 5e-4, one constant warm-up epoch,
    /// epoch-wise cosine, 50 epochs, batch size 32.
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

/// A recipe that no training can follow.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// A batch of no images.
    #[error("recipe: batch must be at least 1")]
    Batch,
    /// A learning rate or weight decay out of range.
    #[error("recipe: lr must be positive; the other rates must not be negative")]
    Rates,
    /// Momentum, betas or eps out of range.
    #[error("recipe: momentum and betas must be in [0, 1), eps above 0")]
    Moments,
}

impl Recipe {
    /// This recipe with some fields replaced.
    ///
    /// # Errors
    /// A value of the result is out of range.
    pub fn with(&self, changes: &RecipeChanges) -> Result<Self, RecipeError> {
        let recipe = Self {
            optimizer: changes.optimizer.unwrap_or(self.optimizer),
            lr: changes.lr.unwrap_or(self.lr),
            momentum: changes.momentum.unwrap_or(self.momentum),
            weight_decay: changes.weight_decay.unwrap_or(self.weight_decay),
            betas: changes.betas.unwrap_or(self.betas),
            eps: changes.eps.unwrap_or(self.eps),
            schedule: changes.schedule.unwrap_or(self.schedule),
            warmup_epochs: changes.warmup_epochs.unwrap_or(self.warmup_epochs),
            warmup_lr: changes.warmup_lr.unwrap_or(self.warmup_lr),
            min_lr: changes.min_lr.unwrap_or(self.min_lr),
            epochs: changes.epochs.unwrap_or(self.epochs),
            steps_per_shot: match (changes.steps_per_shot, changes.epochs) {
                (Some(steps), _) => steps,
                (None, Some(_)) => None,
                (None, None) => self.steps_per_shot,
            },
            batch: changes.batch.unwrap_or(self.batch),
        };
        recipe.check()?;
        Ok(recipe)
    }

    /// Whether a training can follow it.
    ///
    /// # Errors
    /// A value is out of range.
    pub fn check(&self) -> Result<(), RecipeError> {
        if self.batch == 0 {
            return Err(RecipeError::Batch);
        }
        let rates = [self.lr, self.warmup_lr, self.min_lr, self.weight_decay];
        if rates.iter().any(|r| !r.is_finite() || *r < 0.0) || self.lr == 0.0 {
            return Err(RecipeError::Rates);
        }
        let decays = [self.momentum, self.betas[0], self.betas[1]];
        if decays.iter().any(|d| !(0.0..1.0).contains(d)) || self.eps <= 0.0 {
            return Err(RecipeError::Moments);
        }
        Ok(())
    }
}

impl From<&Recipe> for RecipeChanges {
    /// Changes that give this recipe, whatever they are applied to.
    fn from(recipe: &Recipe) -> Self {
        let Recipe {
            optimizer,
            lr,
            momentum,
            weight_decay,
            betas,
            eps,
            schedule,
            warmup_epochs,
            warmup_lr,
            min_lr,
            epochs,
            steps_per_shot,
            batch,
        } = recipe.clone();
        Self {
            optimizer: Some(optimizer),
            lr: Some(lr),
            momentum: Some(momentum),
            weight_decay: Some(weight_decay),
            betas: Some(betas),
            eps: Some(eps),
            schedule: Some(schedule),
            warmup_epochs: Some(warmup_epochs),
            warmup_lr: Some(warmup_lr),
            min_lr: Some(min_lr),
            epochs: Some(epochs),
            steps_per_shot: Some(steps_per_shot),
            batch: Some(batch),
        }
    }
}

/// Fields of a [`Recipe`] to replace; none: unchanged. Unknown fields are errors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecipeChanges {
    /// Which optimizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<OptimizerKind>,
    /// Learning rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// SGD only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// Coupled for SGD and Adam, decoupled for AdamW.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// Adam and AdamW only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub betas: Option<[f64; 2]>,
    /// Adam and AdamW only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eps: Option<f64>,
    /// How the learning rate changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Epochs at `warmup_lr` before an epoch-wise cosine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_epochs: Option<usize>,
    /// Learning rate during warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_lr: Option<f64>,
    /// Final learning rate of a step-wise cosine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_lr: Option<f64>,
    /// Passes over the training images; 0 for no training. Clears `steps_per_shot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// Steps per shot, instead of `epochs`; `null` goes back to `epochs`.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "null_is_a_value"
    )]
    pub steps_per_shot: Option<Option<usize>>,
    /// Images per step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
}

impl RecipeChanges {
    /// These changes with `later` ones on top. Later `epochs` clear earlier
    /// `steps_per_shot`.
    #[must_use]
    pub fn then(&self, later: &Self) -> Self {
        Self {
            optimizer: later.optimizer.or(self.optimizer),
            lr: later.lr.or(self.lr),
            momentum: later.momentum.or(self.momentum),
            weight_decay: later.weight_decay.or(self.weight_decay),
            betas: later.betas.or(self.betas),
            eps: later.eps.or(self.eps),
            schedule: later.schedule.or(self.schedule),
            warmup_epochs: later.warmup_epochs.or(self.warmup_epochs),
            warmup_lr: later.warmup_lr.or(self.warmup_lr),
            min_lr: later.min_lr.or(self.min_lr),
            epochs: later.epochs.or(self.epochs),
            steps_per_shot: match (later.steps_per_shot, later.epochs) {
                (None, Some(_)) => None,
                (steps, _) => steps.or(self.steps_per_shot),
            },
            batch: later.batch.or(self.batch),
        }
    }
}

fn null_is_a_value<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<usize>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Reads what an ABI 1.0 plugin may leave out: null or `{}` is none.
pub(super) fn stated<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Recipe>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    match &value {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::Object(fields) if fields.is_empty() => Ok(None),
        _ => Recipe::deserialize(value)
            .map(Some)
            .map_err(serde::de::Error::custom),
    }
}

/// Reads changes; null, as hosts of ABI 1.0 may send it, is no change.
pub(super) fn changes<'de, D: Deserializer<'de>>(from: D) -> Result<RecipeChanges, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changes(value: serde_json::Value) -> RecipeChanges {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn changes_replace_fields_by_name() {
        let changed = Recipe::default()
            .with(&changes(json!({"epochs": 3, "optimizer": "adam-w"})))
            .unwrap();
        assert_eq!((changed.epochs, changed.batch), (3, 32));
        assert_eq!(changed.optimizer, OptimizerKind::AdamW);
        let same = Recipe::default().with(&RecipeChanges::default()).unwrap();
        assert_eq!(same, Recipe::default());
    }

    #[test]
    fn epochs_clear_steps_per_shot() {
        let steps = Recipe {
            steps_per_shot: Some(500),
            ..Recipe::default()
        };
        let with = |value| {
            let changed = steps.with(&changes(value)).unwrap();
            (changed.epochs, changed.steps_per_shot)
        };
        assert_eq!(with(json!({"epochs": 3})), (3, None));
        assert_eq!(with(json!({"steps_per_shot": null})), (50, None));
        assert_eq!(with(json!({"epochs": 3, "steps_per_shot": 7})).1, Some(7));
        let first = changes(json!({"steps_per_shot": 7, "lr": 0.5}));
        let both = first.then(&changes(json!({"epochs": 3})));
        assert_eq!(
            serde_json::to_value(&both).unwrap(),
            json!({"lr": 0.5, "epochs": 3})
        );
    }

    #[test]
    fn mistakes_are_named() {
        let unknown = serde_json::from_value::<RecipeChanges>(json!({"epoch": 3})).unwrap_err();
        assert!(unknown.to_string().contains("unknown field `epoch`"));
        for (change, error) in [
            (json!({"batch": 0}), RecipeError::Batch),
            (json!({"lr": -1.0}), RecipeError::Rates),
            (json!({"momentum": 1.0}), RecipeError::Moments),
        ] {
            assert_eq!(Recipe::default().with(&changes(change)), Err(error));
        }
    }
}
