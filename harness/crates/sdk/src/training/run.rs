//! The training loop.

use candle_core::{Device, Tensor, Var};
use harness_abi::wire::{Recipe, Split, TrainJob, TrainSummary};
use rand::{RngCore, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{
    Trainable,
    average::Average,
    check_gradients, gradients,
    losses::Losses,
    optimizer::Optimizer,
    schedule::{StepInfo, learning_rate},
};
use crate::{
    Batch, Error, Host, Method, Parameters, Result,
    method::{encode_batch, forward, function, parameters, setup},
    module,
    parameter::initial_values,
};

/// Trains a method on the host's few-shot training images.
pub(crate) fn train<M: Method>(
    config: &M::Config,
    host: &Host,
    job: &TrainJob,
) -> Result<(Parameters, TrainSummary)> {
    let recipe = M::recipe(config, host.setting()).with(&job.recipe)?;
    let mut rng = ChaCha8Rng::seed_from_u64(job.seed);
    let method = setup::<M>(config, host)?;
    let trainable = initialise(&method, config, host, &mut rng)?;
    let labels = host.labels(Split::Train)?;
    let length = Length::of(&recipe, labels.len(), host.classes());
    let mut run = Run {
        method: &method,
        host,
        recipe: &recipe,
        seed: job.seed,
        checks_gradients: job.check_gradients && !M::STOPS_GRADIENTS,
        labels,
        length,
        trainable: &trainable,
        average: Average::new(method.epoch_weights(length.epochs), length.epochs)?,
    };
    let Progress {
        steps,
        last: final_loss,
        losses,
    } = run.epochs(&mut rng)?;
    let trained = match run.average.take() {
        Some(average) => average,
        None => trainable.values()?,
    };
    let module = method.select(host, trained);
    let module = module.map_err(|e| e.within(function::<M>("select")))?;
    let summary = TrainSummary {
        steps,
        parameters: trainable.count(),
        final_loss,
        losses,
        recipe: Some(recipe),
        // Without a step there is no gradient.
        checked_gradients: job.check_gradients && !M::STOPS_GRADIENTS && steps > 0,
    };
    Ok((module, summary))
}

/// The parameters before the first step: built by the method, or initialised as declared.
fn initialise<M: Method>(
    method: &M,
    config: &M::Config,
    host: &Host,
    rng: &mut ChaCha8Rng,
) -> Result<Trainable> {
    let declared = parameters::<M>(config, host.setting())?;
    let shapes: Vec<_> = declared.iter().map(|p| p.shape()).collect();
    let built = method.build(host, initial_values(&declared, host, rng)?);
    let built = built.map_err(|e| e.within(function::<M>("build")))?;
    let values = module::fit(&built, &shapes, &host.setting().backbone.name)?;
    Trainable::new(&values, &shapes)
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

/// What a training went through.
struct Progress {
    steps: u64,
    /// The loss of the last step.
    last: Option<f64>,
    losses: Vec<f32>,
}

struct Run<'a, M> {
    method: &'a M,
    host: &'a Host,
    recipe: &'a Recipe,
    seed: u64,
    checks_gradients: bool,
    labels: Vec<u32>,
    length: Length,
    trainable: &'a Trainable,
    average: Average,
}

impl<M: Method> Run<'_, M> {
    /// Runs all epochs.
    fn epochs(&mut self, rng: &mut ChaCha8Rng) -> Result<Progress> {
        let Length {
            batch,
            steps,
            epochs,
        } = self.length;
        let rows = self.labels.len();
        if rows == 0 && epochs > 0 {
            return Err(Error::Config("there are no training images".into()));
        }
        let vars: Vec<(&str, &Var)> = self.trainable.vars().collect();
        let mut optimizer = Optimizer::new(self.recipe, vars.len());
        let mut order: Vec<u32> = (0..rows as u32).collect();
        let mut step = 0;
        let mut last = None;
        let mut losses = Losses::new(steps, epochs);
        for epoch in 0..epochs {
            order.shuffle(rng);
            for rows in order.chunks_exact(batch).take(steps - step) {
                let at = StepInfo {
                    epoch,
                    epochs,
                    step,
                    steps,
                };
                let loss = self.step(&mut optimizer, &vars, rows, at);
                let loss = loss.map_err(|e| e.within(format!("step {step}")))?;
                losses.add(step, loss);
                last = Some(loss);
                step += 1;
                let progress = self.host.object().progress(step as u64, steps as u64);
                progress.into_result()?;
            }
            self.average.add(epoch, self.trainable)?;
        }
        Ok(Progress {
            steps: step as u64,
            last,
            losses: losses.means(),
        })
    }

    fn step(
        &self,
        optimizer: &mut Optimizer,
        vars: &[(&str, &Var)],
        rows: &[u32],
        at: StepInfo,
    ) -> Result<f64> {
        let labels: Vec<u32> = rows.iter().map(|&r| self.labels[r as usize]).collect();
        let labels = Tensor::from_vec(labels, rows.len(), &Device::Cpu)?;
        let host = &self.host.at_step(step_seed(self.seed, at.step));
        let views = host.setting().task.train_views.max(1);
        let images = Batch::new(Split::Train, rows.to_vec(), Some(labels))
            .in_view((at.epoch % views) as u32);
        let forward = || {
            let parameters = self.trainable.tracked();
            let batch = encode_batch(self.method, host, &parameters, images.clone())?;
            let forward = forward(self.method, host, &parameters, &batch)?;
            Ok((parameters, batch, forward))
        };
        if self.checks_gradients && at.step == 0 {
            check_gradients(self.method, host, vars, &forward)?;
        }
        let (parameters, batch, forward) = forward()?;
        let (loss, gradients) = gradients(self.method, host, &parameters, &batch, &forward, vars)?;
        let lr = learning_rate(self.recipe, at);
        for (index, (&(_, var), gradient)) in vars.iter().zip(&gradients).enumerate() {
            optimizer.step(index, var, gradient, lr)?;
        }
        Ok(loss)
    }
}

/// Seed of the dropout masks of a step, from a random stream independent of the batch order.
fn step_seed(seed: u64, step: usize) -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1 + step as u64);
    rng.next_u64()
}
