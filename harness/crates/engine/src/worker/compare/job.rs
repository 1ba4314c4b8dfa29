//! A method against another implementation of it: the same inputs, and the numbers of both.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use harness_abi::wire::{Probe, RecipeChanges, Split, TrainJob};
use harness_backbone::Tokenizer;

use super::difference::{Difference, differences};
use super::module::Module;
use super::{RATE, STEPS};
use crate::worker::{channel::Channel, context::JobContext, error::JobError, state::WorkerState};
use crate::{
    images::ImageOptions,
    job::{ComparisonStep, ComparisonWork, Job, JobOutput},
    plugin_check::{AboutComparison, ComparisonFile},
};

/// Relative difference of image features from which the inputs count as others.
const SAME_INPUTS: f32 = 1e-3;

/// Writes the inputs of a comparison, or compares.
pub(in crate::worker) fn compare(
    state: &mut WorkerState,
    job: &Job,
    channel: &Channel,
    work: &ComparisonWork,
) -> Result<JobOutput, JobError> {
    let images = ImageOptions::default();
    let of = (&work.backbone, &work.dataset);
    let context = JobContext::open(state, job, channel, of, images)?;
    let method = state.method(&work.method)?;
    let drawn = context.training_rows(work.draw);
    // Spread over the draw, which is sorted by class.
    let batch = work.batch.min(drawn);
    let rows: Vec<u32> = (0..batch).map(|i| (i * drawn / batch) as u32).collect();
    let untrained = TrainJob {
        seed: work.draw.seeds.training,
        recipe: RecipeChanges {
            epochs: Some(0),
            ..RecipeChanges::default()
        },
        check_gradients: false,
    };
    let (bench, _) = context.training_bench(work.draw)?;
    let module = Module::read(&method.train(bench.object(), &untrained)?.module)?;
    let inputs = inputs(&context, work, &rows, &module)?;
    let (path, tolerance) = match &work.step {
        ComparisonStep::WriteInputs { path } => {
            ComparisonFile::write(path, &about(&context, work)?, &inputs).map_err(failed)?;
            return Ok(JobOutput::InputsWritten);
        }
        ComparisonStep::Compare { path, tolerance } => (path, *tolerance),
    };
    let file = ComparisonFile::read(path).map_err(failed)?;
    same_inputs(path, &inputs, &file.tensors)?;
    let module = module.with(path, &file.tensors)?;
    let probe = |module: &Module| {
        let (bench, _) = context.training_bench(work.draw)?;
        let rows = Probe {
            split: Split::Train,
            rows: rows.clone(),
        };
        let (reply, tensors) = method.probe(bench.object(), &module.write()?, &rows)?;
        let mut tensors = tensors.into_iter().map(|tensor| {
            let shape: Vec<usize> = tensor.shape.iter().map(|d| *d as usize).collect();
            Tensor::from_vec(tensor.values.into_vec(), shape, &Device::Cpu)
        });
        let logits = tensors.next().transpose()?;
        let mut found: BTreeMap<String, Tensor> = BTreeMap::new();
        found.extend(logits.map(|logits| ("logits".to_owned(), logits)));
        let loss = Tensor::new(reply.loss as f32, &Device::Cpu)?;
        found.insert("loss".to_owned(), loss);
        for (name, gradient) in reply.gradients.iter().zip(tensors) {
            found.insert(format!("grad.{name}"), gradient?);
        }
        Ok::<_, JobError>(found)
    };
    let mut found = probe(&module)?;
    let mut stepped = module.descend(&found, RATE)?;
    for _ in 1..STEPS {
        stepped = stepped.descend(&probe(&stepped)?, RATE)?;
    }
    for (name, tensor) in &stepped.tensors {
        if found.contains_key(&format!("grad.{name}")) {
            found.insert(format!("after{STEPS}.{name}"), tensor.clone());
        }
    }
    Ok(JobOutput::Compared(differences(
        path,
        &file.tensors,
        &found,
        tolerance,
    )?))
}

pub(super) fn failed(error: impl std::fmt::Display) -> JobError {
    JobError::Failed(error.to_string())
}

fn about(context: &JobContext<'_>, work: &ComparisonWork) -> Result<AboutComparison, JobError> {
    let dataset = context.dataset();
    Ok(AboutComparison {
        format: AboutComparison::format(),
        method: work.method.id.clone(),
        config: work.method.config.clone(),
        backbone: work.backbone.name.clone(),
        dataset: work.dataset.name.clone(),
        shots: work.draw.shots,
        seed: work.draw.seeds.training,
        batch: work.batch,
        class_names: dataset.class_names().to_vec(),
        template: first_template(context)?.to_owned(),
        weights: work.backbone.files()?.path.display().to_string(),
    })
}

fn first_template<'c>(context: &'c JobContext<'_>) -> Result<&'c str, JobError> {
    let first = context.dataset().templates().first();
    let first = first.ok_or_else(|| failed("the data set has no template"))?;
    Ok(first)
}

/// What another implementation starts from.
fn inputs(
    context: &JobContext<'_>,
    work: &ComparisonWork,
    rows: &[u32],
    module: &Module,
) -> Result<HashMap<String, Tensor>, JobError> {
    let batch = context.batch(work.draw, rows)?;
    let labels: Vec<i64> = batch.labels.iter().map(|label| i64::from(*label)).collect();
    let backbone = context.backbone();
    let words = backbone.tokenizer();
    let words = words.ok_or_else(|| failed("the backbone has no tokenizer.json"))?;
    let longest = backbone.dims().text.context_length;
    let names = context.dataset().class_names();
    let names: Vec<String> = names.iter().map(|name| name.replace('_', " ")).collect();
    let template = first_template(context)?;
    let prompts = |text: &dyn Fn(&String) -> String| {
        let texts: Vec<String> = names.iter().map(text).collect();
        token_rows(words, &texts, longest)
    };
    let mut inputs = HashMap::from([
        (
            "labels".to_owned(),
            Tensor::from_vec(labels, rows.len(), &Device::Cpu)?,
        ),
        ("image_features".to_owned(), batch.features),
        ("pixels".to_owned(), batch.pixels),
        (
            "template_tokens".to_owned(),
            prompts(&|name| template.replace("{}", name))?,
        ),
        (
            "name_tokens".to_owned(),
            prompts(&|name| format!("{name}."))?,
        ),
        (
            "logit_scale".to_owned(),
            Tensor::new(backbone.logit_scale()?, &Device::Cpu)?,
        ),
    ]);
    for (name, tensor) in &module.tensors {
        inputs.insert(format!("param.{name}"), tensor.clone());
    }
    Ok(inputs)
}

/// Token ids `[C, L]` with start and end, padded with zeros to the longest.
fn token_rows(words: &Tokenizer, texts: &[String], longest: usize) -> Result<Tensor, JobError> {
    let mut rows = Vec::new();
    for text in texts {
        let ids = words.encode(text)?;
        let mut row = vec![i64::from(words.sot())];
        row.extend(
            ids.iter()
                .take(longest.saturating_sub(2))
                .map(|id| i64::from(*id)),
        );
        row.push(i64::from(words.eot()));
        rows.push(row);
    }
    let length = rows.iter().map(Vec::len).max().unwrap_or_default();
    for row in &mut rows {
        row.resize(length, 0);
    }
    let count = rows.len();
    Ok(Tensor::from_vec(
        rows.concat(),
        (count, length),
        &Device::Cpu,
    )?)
}

/// Refuses a file that was computed from other images.
fn same_inputs(
    path: &Path,
    inputs: &HashMap<String, Tensor>,
    file: &HashMap<String, Tensor>,
) -> Result<(), JobError> {
    for name in ["labels", "image_features"] {
        let (Some(here), Some(there)) = (inputs.get(name), file.get(name)) else {
            continue;
        };
        let here = here.to_dtype(DType::F32)?;
        let same = here.dims() == there.dims()
            && Difference::between(there, &here)?.relative() <= SAME_INPUTS;
        if !same {
            return Err(failed(format!(
                "{}: its {name} are not those of this data set and backbone; write the inputs anew",
                path.display()
            )));
        }
    }
    Ok(())
}
