//! The training loop.

use candle_core::{Device, Tensor, Var};
use harness_abi::wire::{Recipe, Split, TrainJob, TrainSummary};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{
    Trainable,
    average::Average,
    check_gradients, gradients,
    losses::Losses,
    optimizer::Optimizer,
    steps::{Step, Steps},
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
    let views = host.setting().task.train_views;
    let size = (labels.len(), host.classes(), views);
    let mut steps = Steps::new(&recipe, job.seed, size, rng);
    let epochs = steps.epochs();
    let mut run = Run {
        method: &method,
        host,
        recipe: &recipe,
        checks_gradients: job.check_gradients && !M::STOPS_GRADIENTS,
        labels,
        trainable: &trainable,
        average: Average::new(method.epoch_weights(epochs), epochs)?,
    };
    let Progress {
        steps,
        last: final_loss,
        losses,
    } = run.epochs(&mut steps)?;
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
pub(crate) fn initialise<M: Method>(
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
    checks_gradients: bool,
    labels: Vec<u32>,
    trainable: &'a Trainable,
    average: Average,
}

impl<M: Method> Run<'_, M> {
    /// Runs all epochs.
    fn epochs(&mut self, steps: &mut Steps) -> Result<Progress> {
        let (total, epochs) = (steps.steps(), steps.epochs());
        if self.labels.is_empty() && epochs > 0 {
            return Err(Error::Config("there are no training images".into()));
        }
        let vars: Vec<(&str, &Var)> = self.trainable.vars().collect();
        let mut optimizer = Optimizer::new(self.recipe, vars.len());
        let mut done = 0;
        let mut last = None;
        let mut losses = Losses::new(total, epochs);
        let mut epoch = 0;
        while let Some(of_epoch) = steps.next_epoch() {
            for step in of_epoch {
                let loss = self.step(&mut optimizer, &vars, &step);
                let loss = loss.map_err(|e| e.within(format!("step {}", step.number)))?;
                losses.add(step.number, loss);
                last = Some(loss);
                done += 1;
                let progress = self.host.object().progress(done, total as u64);
                progress.into_result()?;
            }
            self.average.add(epoch, self.trainable)?;
            epoch += 1;
        }
        Ok(Progress {
            steps: done,
            last,
            losses: losses.means(),
        })
    }

    fn step(&self, optimizer: &mut Optimizer, vars: &[(&str, &Var)], at: &Step) -> Result<f64> {
        let labels: Vec<u32> = at.rows.iter().map(|&r| self.labels[r as usize]).collect();
        let labels = Tensor::from_vec(labels, at.rows.len(), &Device::Cpu)?;
        let host = &self.host.at_step(at.seed);
        let images = Batch::new(Split::Train, at.rows.clone(), Some(labels)).in_view(at.view);
        let forward = || {
            let parameters = self.trainable.tracked();
            let batch = encode_batch(self.method, host, &parameters, images.clone())?;
            let forward = forward(self.method, host, &parameters, &batch)?;
            Ok((parameters, batch, forward))
        };
        if self.checks_gradients && at.number == 0 {
            check_gradients(self.method, host, vars, &forward)?;
        }
        let (parameters, batch, forward) = forward()?;
        let (loss, gradients) = gradients(self.method, host, &parameters, &batch, &forward, vars)?;
        for (index, (&(_, var), gradient)) in vars.iter().zip(&gradients).enumerate() {
            optimizer.step(index, var, gradient, at.lr)?;
        }
        Ok(loss)
    }
}
