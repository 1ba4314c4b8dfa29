//! The training loop that every method shares.

use candle_core::{Device, Tensor, Var};
use harness_abi::wire::{Split, TrainJob, TrainSummary};
use rand::{RngCore, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::{
    Batch, Bench, Error, Forward, Method, Parameters, Recipe, Result, method::directions,
    module_file, optimizer::Optimizer, parameter::Trainable, schedule::Moment,
};

/// Trains a method on the bench's few-shot draw.
pub(crate) fn train<M: Method>(
    config: &M::Config,
    bench: &Bench,
    job: &TrainJob,
) -> Result<(Parameters, TrainSummary)> {
    let recipe = M::recipe(config).overridden(&job.recipe)?;
    let mut rng = ChaCha8Rng::seed_from_u64(job.seed);
    let method = M::prepare(config, bench)?;
    let trainable = begin(&method, config, bench, &mut rng)?;
    let labels = bench.labels(Split::Train)?;
    let length = Length::of(&recipe, labels.len(), bench.classes());
    let mut run = Run {
        method: &method,
        bench,
        recipe: &recipe,
        seed: job.seed,
        labels,
        length,
        trainable: &trainable,
        average: Average::new(method.epoch_weights(length.epochs), length.epochs)?,
    };
    let (steps, final_loss) = run.epochs(&mut rng)?;
    let trained = match run.average.take() {
        Some(average) => average,
        None => trainable.values()?,
    };
    let module = method.select(bench, &trained)?.unwrap_or(trained);
    let summary = TrainSummary {
        steps,
        parameters: trainable.count(),
        final_loss,
        recipe: serde_json::to_value(&recipe)?,
    };
    Ok((module, summary))
}

/// The parameters before the first step: built by the method, or by their rules.
fn begin<M: Method>(
    method: &M,
    config: &M::Config,
    bench: &Bench,
    rng: &mut ChaCha8Rng,
) -> Result<Trainable> {
    let declared = M::parameters(config, bench.setting())?;
    match method.build(bench)? {
        None => Trainable::initial(&declared, bench, rng),
        Some(built) => {
            let shapes: Vec<_> = declared.iter().map(|p| p.shape()).collect();
            let fitted = module_file::fit(&built, &shapes, &bench.setting().backbone.name)?;
            Trainable::from_values(&fitted, &shapes)
        }
    }
}

/// How long a training is.
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

struct Run<'a, M> {
    method: &'a M,
    bench: &'a Bench,
    recipe: &'a Recipe,
    seed: u64,
    labels: Vec<u32>,
    length: Length,
    trainable: &'a Trainable,
    average: Average,
}

impl<M: Method> Run<'_, M> {
    /// Runs all epochs; the number of steps and the last loss.
    fn epochs(&mut self, rng: &mut ChaCha8Rng) -> Result<(u64, Option<f64>)> {
        let Length {
            batch,
            steps,
            epochs,
        } = self.length;
        let rows = self.labels.len();
        if rows == 0 && epochs > 0 {
            return Err(Error::Config("the training draw holds no images".into()));
        }
        let vars: Vec<(&str, &Var)> = self.trainable.vars().collect();
        let mut optimizer = Optimizer::new(self.recipe, vars.len());
        let mut order: Vec<u32> = (0..rows as u32).collect();
        let mut step = 0;
        let mut last = None;
        for epoch in 0..epochs {
            order.shuffle(rng);
            for rows in order.chunks_exact(batch).take(steps - step) {
                let at = Moment {
                    epoch,
                    epochs,
                    step,
                    steps,
                };
                last = Some(self.step(&mut optimizer, &vars, rows, at)?);
                step += 1;
                let progress = self.bench.host().progress(step as u64, steps as u64);
                progress.into_result()?;
            }
            self.average.add(epoch, self.trainable)?;
        }
        Ok((step as u64, last))
    }

    fn step(
        &self,
        optimizer: &mut Optimizer,
        vars: &[(&str, &Var)],
        rows: &[u32],
        at: Moment,
    ) -> Result<f64> {
        let labels: Vec<u32> = rows.iter().map(|&r| self.labels[r as usize]).collect();
        let labels = Tensor::from_vec(labels, rows.len(), &Device::Cpu)?;
        let bench = &self.bench.at_step(step_seed(self.seed, at.step));
        let parameters = self.trainable.tracked();
        let views = bench.setting().task.train_views.max(1);
        let batch = Batch::new(Split::Train, rows.to_vec(), Some(labels))
            .in_view((at.epoch % views) as u32);
        let batch = batch.seen_by(self.method, bench, &parameters)?;
        let forward = Forward::of(self.method, bench, &parameters, &batch)?;
        let (loss, directions) = directions(self.method, bench, &batch, &forward, vars)?;
        let lr = self.recipe.schedule.rate(self.recipe.rates(), at);
        for (index, (&(_, var), direction)) in vars.iter().zip(&directions).enumerate() {
            optimizer.step(index, var, direction, lr)?;
        }
        Ok(loss)
    }
}

/// What decides the masks of a step: a stream of its own, apart from the one that
/// orders the batches.
fn step_seed(seed: u64, step: usize) -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1 + step as u64);
    rng.next_u64()
}

/// A weighted mean of the parameters over epochs.
struct Average {
    weights: Option<Vec<f64>>,
    sum: Option<Parameters>,
}

impl Average {
    fn new(weights: Option<Vec<f64>>, epochs: usize) -> Result<Self> {
        match &weights {
            Some(w) if w.len() != epochs => Err(Error::Config(format!(
                "epoch_weights: expected {epochs} weights, found {}",
                w.len()
            ))),
            _ => Ok(Self { weights, sum: None }),
        }
    }

    fn add(&mut self, epoch: usize, trainable: &Trainable) -> Result<()> {
        let Some(weights) = &self.weights else {
            return Ok(());
        };
        let mut entries = vec![];
        for (name, value) in trainable.values()?.iter() {
            let mut term = (value * weights[epoch])?;
            if let Some(sum) = &self.sum {
                term = (sum.get(name)? + term)?;
            }
            entries.push((name.to_owned(), term));
        }
        self.sum = Some(Parameters::new(entries));
        Ok(())
    }

    fn take(&mut self) -> Option<Parameters> {
        self.sum.take()
    }
}
