//! Learning-rate schedules.

use std::f64::consts::PI;

use harness_abi::wire::{Recipe, Schedule};

/// Position of a step in a training.
#[derive(Clone, Copy, Debug)]
pub(super) struct StepInfo {
    pub(super) epoch: usize,
    pub(super) epochs: usize,
    pub(super) step: usize,
    pub(super) steps: usize,
}

/// The learning rate of a step.
pub(super) fn learning_rate(recipe: &Recipe, at: StepInfo) -> f64 {
    let cosine = |part: f64| 0.5 * (1.0 + (PI * part).cos());
    match recipe.schedule {
        Schedule::EpochCosine if at.epoch < recipe.warmup_epochs => recipe.warmup_lr,
        Schedule::EpochCosine => {
            let epoch = at.epoch - recipe.warmup_epochs;
            recipe.lr * cosine(epoch as f64 / at.epochs as f64)
        }
        Schedule::StepCosine => {
            let part = at.step as f64 / at.steps as f64;
            recipe.min_lr + (recipe.lr - recipe.min_lr) * cosine(part)
        }
        Schedule::Constant => recipe.lr,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(schedule: Schedule, at: StepInfo) -> f64 {
        let recipe = Recipe {
            schedule,
            lr: 2e-3,
            min_lr: 1e-6,
            warmup_epochs: 1,
            warmup_lr: 1e-5,
            ..Recipe::default()
        };
        learning_rate(&recipe, at)
    }

    fn epoch(epoch: usize) -> f64 {
        let at = StepInfo {
            epoch,
            epochs: 50,
            step: epoch * 5,
            steps: 250,
        };
        rate(Schedule::EpochCosine, at)
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
            let at = StepInfo {
                epoch: 0,
                epochs: 1,
                step,
                steps: 100,
            };
            rate(Schedule::StepCosine, at)
        };
        assert_eq!(at(0), 2e-3);
        assert!((at(50) - 1.0005e-3).abs() < 1e-12);
        assert!((at(100) - 1e-6).abs() < 1e-12);
    }
}
