//! Predictions on images that are in no data set.

use std::path::PathBuf;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use harness_abi::wire::Split as Part;
use harness_data::read_image;
use harness_host::boundary::{Pixels, SourceError, TaskData, task_facts};

use super::bench::bench;
use super::channel::Channel;
use super::error::JobError;
use super::evaluation::probabilities;
use super::state::{LoadedBackbone, WorkerState};
use crate::job::{Job, JobOutput};
use crate::predict::{PredictJob, Prediction, Scored};

/// Classifies the images with the module, and without it.
pub(super) fn predict(
    state: &mut WorkerState,
    job: &Job,
    channel: &Channel,
    wanted: &PredictJob,
) -> Result<JobOutput, JobError> {
    let loaded = state.backbone(&wanted.backbone)?;
    let (images, unreadable) = read(&loaded, &wanted.images);
    if !unreadable.is_empty() {
        return Ok(JobOutput::Predicted {
            predictions: Vec::new(),
            unreadable,
        });
    }
    let pixels = Tensor::stack(&images, 0)?;
    let features = loaded.backbone.image().encode(&pixels)?;
    let features = features.to_device(&Device::Cpu)?;
    let facts = task_facts(&wanted.dataset, wanted.classes.clone(), &wanted.templates);
    let task = TaskData::evaluation(facts, features.clone())?;
    let task = task.with_pixels(Arc::new(ReadImages(pixels)));
    let bench = bench(&wanted.backbone, &loaded, task, (job.id, channel))?;
    let module = fs_err::read(&wanted.module)?;
    let method = state.method(&wanted.method)?;
    let predictor = method.inject(bench.object(), &module)?;
    let (count, classes) = (wanted.images.len(), wanted.classes.len());
    let rows: Vec<u32> = (0..count as u32).collect();
    let logits = predictor.logits(Part::Test, &rows, classes)?;
    let zero_shot = bench.zero_shot(&features, &bench.class_embeddings()?)?;
    let zero_shot = zero_shot.flatten_all()?.to_vec1::<f32>()?;
    let rows = logits
        .chunks_exact(classes)
        .zip(zero_shot.chunks_exact(classes));
    let predictions = rows.map(|(with, without)| {
        let first = best(without, 1).first().copied();
        Some(Prediction {
            labels: best(with, wanted.top),
            zero_shot: first?,
        })
    });
    let none = || JobError::Failed("the module has no class to predict".to_owned());
    Ok(JobOutput::Predicted {
        predictions: predictions.collect::<Option<_>>().ok_or_else(none)?,
        unreadable: Vec::new(),
    })
}

/// The images as the tower reads them, and what is wrong with the others.
fn read(loaded: &LoadedBackbone, paths: &[PathBuf]) -> (Vec<Tensor>, Vec<String>) {
    let transform = loaded.backbone.transform();
    let mut images = Vec::new();
    let mut unreadable = Vec::new();
    for path in paths {
        match read_image(path).map(|image| transform.apply(&image)) {
            Ok(Ok(image)) => images.push(image),
            Ok(Err(error)) => unreadable.push(format!("{}: {error}", path.display())),
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    (images, unreadable)
}

/// The classes of highest score; of equal ones the first.
fn best(logits: &[f32], top: usize) -> Vec<Scored> {
    let scores = probabilities(logits);
    let mut classes: Vec<usize> = (0..scores.len()).collect();
    // Of logits, which differ where probabilities have become equal.
    classes.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
    classes.truncate(top);
    let scored = classes.into_iter().map(|class| Scored {
        class,
        score: scores[class],
    });
    scored.collect()
}

/// The images of a batch, `[n, 3, N, N]`.
struct ReadImages(Tensor);

impl Pixels for ReadImages {
    fn pixels(&self, _split: Part, rows: &[u32], _view: u32) -> Result<Tensor, SourceError> {
        let rows = Tensor::new(rows, &Device::Cpu)?;
        Ok(self.0.index_select(&rows, 0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::best;

    #[test]
    fn the_best_classes_come_first_and_equal_ones_in_order() {
        let found = best(&[1.0, 3.0, 3.0, -200.0], 3);
        let classes: Vec<usize> = found.iter().map(|one| one.class).collect();
        assert_eq!(classes, [1, 2, 0]);
        // python -c "from scipy.special import softmax; print(softmax([1, 3, 3, -200]))"
        assert!((found[0].score - 0.468_310_5).abs() < 1e-6);
        assert_eq!(best(&[0.5], 5).len(), 1);
        assert!(best(&[], 1).is_empty());
    }
}
