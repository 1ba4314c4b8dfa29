//! One training of a method and what becomes of its module, for an author who tries it.

use std::time::Instant;

use harness_abi::wire::{RecipeChanges, Split, TrainJob};

use super::{
    channel::Channel, context::JobContext, error::JobError, evaluation::evaluate,
    state::WorkerState,
};
use crate::{
    images::ImageOptions,
    job::{Job, JobOutput, MethodRef, Moved, Trial, TrialWork},
};

/// Trains with a comparison of the first gradients, and evaluates without storing a result.
pub(super) fn trial(
    state: &mut WorkerState,
    job: &Job,
    channel: &Channel,
    work: &TrialWork,
) -> Result<JobOutput, JobError> {
    let images = ImageOptions::default();
    let source = (&work.source, &work.dataset);
    let source = JobContext::open(state, job, channel, source, images)?;
    let target = (&work.target, &work.dataset);
    let target = JobContext::open(state, job, channel, target, images)?;
    let method = state.method(&work.method)?;
    let (bench, _) = source.training_bench(work.draw)?;
    let start = Instant::now();
    let training = TrainJob {
        seed: work.draw.seeds.training,
        recipe: RecipeChanges::default(),
        check_gradients: true,
    };
    let trained = method.train(bench.object(), &training)?;
    let train_seconds = start.elapsed().as_secs_f64();
    // As a target has it: another object of the method, made from the module's bytes.
    let mut on = |context: &JobContext<'_>, wanted: &MethodRef| {
        let (bench, _) = context.evaluation_bench()?;
        let predictor = state
            .method(wanted)?
            .inject(bench.object(), &trained.module)?;
        let classes = context.class_count();
        let evaluation = evaluate(context.test_labels(), classes, |rows| {
            Ok(predictor.logits(Split::Test, rows, classes)?)
        })?;
        Ok(accuracy(&evaluation.predictions, &evaluation.labels))
    };
    let base = on(&source, &work.method)?;
    let new = match on(&target, &work.method) {
        Ok(accuracy) => Moved::Accuracy(accuracy),
        Err(JobError::NotInjectable(reason) | JobError::NotOffered(reason)) => {
            Moved::NotInjectable(reason)
        }
        Err(other) => return Err(other),
    };
    let summary = trained.summary;
    Ok(JobOutput::Tried(Trial {
        test_images: source.test_labels().len() as u64,
        zero_source: zero_shot(&source)?,
        base,
        zero_target: zero_shot(&target)?,
        new,
        parameters: summary.parameters,
        steps: summary.steps,
        train_seconds,
        losses: summary.losses,
        checked_gradients: summary.checked_gradients,
    }))
}

fn zero_shot(context: &JobContext<'_>) -> Result<f64, JobError> {
    match context.zero_shot()? {
        JobOutput::ZeroShot { evaluation, .. } => {
            Ok(accuracy(&evaluation.predictions, &evaluation.labels))
        }
        other => Err(JobError::Failed(format!(
            "a zero-shot evaluation gave {other:?}"
        ))),
    }
}

fn accuracy(predictions: &[u32], labels: &[u32]) -> f64 {
    let pairs = predictions.iter().zip(labels);
    let right = pairs.filter(|(predicted, label)| predicted == label);
    right.count() as f64 / labels.len().max(1) as f64
}
