//! A training as a script goes through it.

use harness_abi::wire::{Recipe, Split, TrainJob, TrainSummary};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::Declared;
use crate::{
    Error, Host, Parameters, Result,
    parameter::initial_values,
    training::{Losses, Step, Steps},
};

/// Initial values, recipe and steps, drawn as for every other method: a method that is written in
/// two languages trains on the same images from the same values.
pub struct Training {
    recipe: Recipe,
    seed: u64,
    checks_gradients: bool,
    initial: Parameters,
    steps: Steps,
    losses: Losses,
    done: u64,
    last: Option<f64>,
}

impl Training {
    pub(crate) fn new(declared: &Declared, host: &Host, job: &TrainJob) -> Result<Self> {
        let recipe = declared.recipe.with(&job.recipe)?;
        let mut rng = ChaCha8Rng::seed_from_u64(job.seed);
        let initial = initial_values(&declared.parameters(), host, &mut rng)?;
        let rows = host.labels(Split::Train)?.len();
        let views = host.setting().task.train_views;
        let steps = Steps::new(&recipe, job.seed, (rows, host.classes(), views), rng);
        if rows == 0 && steps.epochs() > 0 {
            return Err(Error::Config("there are no training images".into()));
        }
        Ok(Self {
            seed: job.seed,
            checks_gradients: job.check_gradients,
            initial,
            losses: Losses::new(steps.steps(), steps.epochs()),
            steps,
            recipe,
            done: 0,
            last: None,
        })
    }

    /// The recipe with the suite's changes.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Seed of the training.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether gradients are to be compared with finite differences in the first step.
    pub fn checks_gradients(&self) -> bool {
        self.checks_gradients
    }

    /// Values of the declared parameters before the first step.
    pub fn initial(&self) -> &Parameters {
        &self.initial
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        self.steps.steps()
    }

    /// Number of epochs.
    pub fn epochs(&self) -> usize {
        self.steps.epochs()
    }

    /// The steps of the next epoch; none after the last.
    pub fn next_epoch(&mut self) -> Option<Vec<Step>> {
        self.steps.next_epoch()
    }

    /// Notes a step with its loss and tells the host.
    ///
    /// # Errors
    /// The loss is not finite, or the host stops the training.
    pub fn stepped(&mut self, host: &Host, loss: f64) -> Result<()> {
        if !loss.is_finite() {
            let step = self.done;
            return Err(Error::Numeric(format!(
                "step {step}: the loss became {loss}"
            )));
        }
        let done = usize::try_from(self.done).unwrap_or(usize::MAX);
        self.losses.add(done, loss);
        self.last = Some(loss);
        self.done += 1;
        let total = (self.steps.steps() as u64).max(self.done);
        Ok(host.object().progress(self.done, total).into_result()?)
    }

    /// What the host is told at the end, of `parameters` trained values.
    pub(crate) fn summary(self, parameters: u64, checked_gradients: bool) -> TrainSummary {
        TrainSummary {
            steps: self.done,
            parameters,
            final_loss: self.last,
            losses: self.losses.means(),
            recipe: Some(self.recipe),
            checked_gradients: checked_gradients && self.done > 0,
        }
    }
}
