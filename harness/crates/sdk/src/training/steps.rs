//! The steps of a training: images, view, learning rate and seed of each.

use harness_abi::wire::Recipe;
use rand::{RngCore, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::schedule::{StepInfo, learning_rate};

/// One step of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Number of the step, from 0.
    pub number: usize,
    /// Its images in the training split.
    pub rows: Vec<u32>,
    /// Their view.
    pub view: u32,
    /// Learning rate.
    pub lr: f64,
    /// Seed of what is drawn in the step.
    pub seed: u64,
}

/// Every step, an epoch at a time.
pub(crate) struct Steps {
    recipe: Recipe,
    seed: u64,
    length: Length,
    order: Vec<u32>,
    views: usize,
    rng: ChaCha8Rng,
    epoch: usize,
    step: usize,
}

impl Steps {
    /// Steps over `rows` images of some classes; `rng` draws their order.
    pub(crate) fn new(
        recipe: &Recipe,
        seed: u64,
        (rows, classes, views): (usize, usize, usize),
        rng: ChaCha8Rng,
    ) -> Self {
        Self {
            recipe: recipe.clone(),
            seed,
            length: Length::of(recipe, rows, classes),
            order: (0..rows as u32).collect(),
            views: views.max(1),
            rng,
            epoch: 0,
            step: 0,
        }
    }

    pub(crate) fn epochs(&self) -> usize {
        self.length.epochs
    }

    pub(crate) fn steps(&self) -> usize {
        self.length.steps
    }

    /// The steps of the next epoch; none after the last.
    pub(crate) fn next_epoch(&mut self) -> Option<Vec<Step>> {
        let Length {
            batch,
            steps,
            epochs,
        } = self.length;
        let epoch = self.epoch;
        if epoch == epochs {
            return None;
        }
        self.order.shuffle(&mut self.rng);
        let batches = self.order.chunks_exact(batch).take(steps - self.step);
        let of_epoch = batches.enumerate().map(|(at, rows)| {
            let step = self.step + at;
            let at = StepInfo {
                epoch,
                epochs,
                step,
                steps,
            };
            Step {
                number: step,
                rows: rows.to_vec(),
                view: (epoch % self.views) as u32,
                lr: learning_rate(&self.recipe, at),
                seed: step_seed(self.seed, step),
            }
        });
        let of_epoch: Vec<Step> = of_epoch.collect();
        self.step += of_epoch.len();
        self.epoch += 1;
        Some(of_epoch)
    }
}

/// Number of steps and epochs.
#[derive(Clone, Copy)]
struct Length {
    batch: usize,
    steps: usize,
    epochs: usize,
}

impl Length {
    fn of(recipe: &Recipe, rows: usize, classes: usize) -> Self {
        let batch = recipe.batch.min(rows.max(1));
        let per_epoch = rows / batch;
        let (steps, epochs) = match recipe.steps_per_shot {
            Some(steps) => {
                let steps = steps * rows.div_ceil(classes.max(1));
                (steps, steps.div_ceil(per_epoch.max(1)))
            }
            None => (per_epoch * recipe.epochs, recipe.epochs),
        };
        Self {
            batch,
            steps,
            epochs,
        }
    }
}

/// Seed of the dropout masks of a step, from a random stream independent of the batch order.
fn step_seed(seed: u64, step: usize) -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1 + step as u64);
    rng.next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(recipe: &Recipe, rows: usize) -> Vec<Vec<Step>> {
        let rng = ChaCha8Rng::seed_from_u64(3);
        let mut steps = Steps::new(recipe, 3, (rows, 2, 2), rng);
        std::iter::from_fn(|| steps.next_epoch()).collect()
    }

    #[test]
    fn an_epoch_shows_whole_batches_of_different_images_and_alternates_the_view() {
        let recipe = Recipe {
            epochs: 3,
            batch: 4,
            ..Recipe::default()
        };
        let epochs = steps(&recipe, 10);
        assert_eq!(epochs.len(), 3);
        for (number, epoch) in epochs.iter().enumerate() {
            let mut rows: Vec<u32> = epoch.iter().flat_map(|step| step.rows.clone()).collect();
            rows.sort_unstable();
            rows.dedup();
            assert_eq!(rows.len(), 8);
            assert!(epoch.iter().all(|step| step.view == number as u32 % 2));
        }
        let numbers = epochs.iter().flatten().map(|step| step.number);
        assert!(numbers.eq(0..6));
    }

    #[test]
    fn steps_per_shot_may_end_within_an_epoch() {
        let recipe = Recipe {
            steps_per_shot: Some(1),
            batch: 4,
            ..Recipe::default()
        };
        // 5 images of each class are 5 steps of the 2 in an epoch.
        let lengths: Vec<usize> = steps(&recipe, 10).iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 2, 1]);
    }
}
