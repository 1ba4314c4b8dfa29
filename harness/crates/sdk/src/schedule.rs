//! Learning-rate schedules of the field.

use std::f64::consts::PI;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The shape of the learning rate over a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Dassl: `warmup_epochs` epochs at `warmup_lr`, then in epoch e
    /// `lr/2 · (1 + cos(π (e - warmup_epochs) / epochs))`; never reaches 0.
    EpochCosine,
    /// From `lr` down to `min_lr`, a new value every step, no warm-up.
    StepCosine,
    Constant,
}

/// Where a training stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) epoch: usize,
    pub(crate) epochs: usize,
    pub(crate) step: usize,
    pub(crate) steps: usize,
}

/// The constants of a schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) lr: f64,
    pub(crate) min_lr: f64,
    pub(crate) warmup_epochs: usize,
    pub(crate) warmup_lr: f64,
}

impl Schedule {
    pub(crate) fn rate(self, rates: Rates, at: Moment) -> f64 {
        let cosine = |part: f64| 0.5 * (1.0 + (PI * part).cos());
        match self {
            Self::EpochCosine if at.epoch < rates.warmup_epochs => rates.warmup_lr,
            Self::EpochCosine => {
                let epoch = at.epoch - rates.warmup_epochs;
                rates.lr * cosine(epoch as f64 / at.epochs as f64)
            }
            Self::StepCosine => {
                let part = at.step as f64 / at.steps as f64;
                rates.min_lr + (rates.lr - rates.min_lr) * cosine(part)
            }
            Self::Constant => rates.lr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates {
        lr: 2e-3,
        min_lr: 1e-6,
        warmup_epochs: 1,
        warmup_lr: 1e-5,
    };

    fn epoch(epoch: usize) -> f64 {
        let at = Moment {
            epoch,
            epochs: 50,
            step: epoch * 5,
            steps: 250,
        };
        Schedule::EpochCosine.rate(RATES, at)
    }

    /// Values of torch's CosineAnnealingLR under Dassl's ConstantWarmupScheduler.
    #[test]
    fn golden_epoch_cosine_with_a_constant_warm_up_epoch() {
        for (e, rate) in [(0, 1e-5), (1, 2e-3), (26, 1e-3), (49, 7.885e-6)] {
            assert!((epoch(e) - rate).abs() < 1e-9, "epoch {e}: {}", epoch(e));
        }
    }

    #[test]
    fn golden_step_cosine_runs_from_lr_to_min_lr() {
        let at = |step| {
            let at = Moment {
                epoch: 0,
                epochs: 1,
                step,
                steps: 100,
            };
            Schedule::StepCosine.rate(RATES, at)
        };
        assert_eq!(at(0), 2e-3);
        assert!((at(50) - 1.0005e-3).abs() < 1e-12);
        assert!((at(100) - 1e-6).abs() < 1e-12);
    }
}
