//! What a job on a backbone and a data set has at hand, and what it does with them.

use std::{path::Path, sync::Arc, time::Instant};

use candle_core::{Device, Tensor};
use harness_abi::wire::{
    ModuleOrigin, Recipe, RecipeChanges, Split as Part, TaskFacts, TrainJob, TrainSummary,
};
use harness_backbone::Backbone;
use harness_data::{Dataset, FewShotSplit, Split, few_shot};
use harness_host::{
    boundary::{HostBench, TaskData, task_facts},
    module_file::with_origin,
    plugin::MethodHandle,
};
use harness_report::{TextPath, TextWork};
use harness_store::{FeatureStore, Sha256, sha256_hex};
use safetensors::SafeTensors;

use super::{
    bench::bench,
    channel::Channel,
    error::JobError,
    evaluation::evaluate,
    features::{FeatureCache, FeatureSource},
    pixels::SplitPixels,
    state::{LoadedBackbone, WorkerState},
};
use crate::{
    images::{ImageOptions, ImageSet},
    job::{
        BackboneRef, ClassEmbeddings, DatasetRef, Draw, Evaluation, Job, JobOutput, MethodRef,
        NotOnDisk, PORTION_ROWS, Portion, TrainedModule,
    },
};

/// Name of the whole split in the feature store.
const ALL: &str = "all";

/// Training images: features `[B, E]`, pixels `[B, 3, N, N]`, classes.
pub(super) struct ImageBatch {
    pub(super) features: Tensor,
    pub(super) pixels: Tensor,
    pub(super) labels: Vec<u32>,
}

/// A backbone and a data set, opened for one job.
pub(super) struct JobContext<'a> {
    job: &'a Job,
    channel: &'a Channel,
    loaded: LoadedBackbone,
    backbone_ref: &'a BackboneRef,
    dataset: Arc<Dataset>,
    dataset_ref: &'a DatasetRef,
    images: ImageOptions,
    store: FeatureStore,
    cache: FeatureCache,
}

impl<'a> JobContext<'a> {
    pub(super) fn open(
        state: &mut WorkerState,
        job: &'a Job,
        channel: &'a Channel,
        (backbone_ref, dataset_ref): (&'a BackboneRef, &'a DatasetRef),
        images: ImageOptions,
    ) -> Result<Self, JobError> {
        Ok(Self {
            job,
            channel,
            loaded: state.backbone(backbone_ref)?,
            backbone_ref,
            dataset: state.dataset(dataset_ref)?,
            dataset_ref,
            images,
            store: FeatureStore::open(job.store.join("features"))?,
            cache: state.features.clone(),
        })
    }

    fn features(&self) -> FeatureSource<'_> {
        FeatureSource {
            backbone: &self.loaded.backbone,
            backbone_ref: self.backbone_ref,
            dataset_ref: self.dataset_ref,
            store: &self.store,
            cache: &self.cache,
            channel: self.channel,
            precision: self.images.precision.into(),
        }
    }

    /// All images of a split, unchanged.
    fn whole(&self, split: Split) -> ImageSet {
        let transform = self.loaded.backbone.transform().clone();
        ImageSet::whole(Arc::clone(&self.dataset), transform, split)
    }

    fn few_shot(&self, draw: Draw) -> FewShotSplit {
        few_shot(
            &self.dataset.split(Split::Train).labels,
            &self.dataset.split(Split::Val).labels,
            draw.shots as usize,
            draw.seeds.split,
            draw.sampler,
        )
    }

    /// The picked images of the train split, with their views, and of the val split.
    fn drawn(&self, few_shot: &FewShotSplit, draw: Draw) -> (ImageSet, ImageSet) {
        let train = self.whole(Split::Train).picked(&few_shot.train);
        let val = self.whole(Split::Val).picked(&few_shot.val);
        (train.augmented(self.images, draw.seeds.training), val)
    }

    pub(super) fn fill_features(&self, portion: Portion) -> Result<JobOutput, JobError> {
        let first = portion.number * PORTION_ROWS;
        let rows = first..first + PORTION_ROWS;
        let mut sets = Vec::new();
        match portion.draw {
            None => sets.push((self.whole(Split::Test), ALL.to_owned(), 0)),
            Some(draw) => {
                let few_shot = self.few_shot(draw);
                let (train, val) = self.drawn(&few_shot, draw);
                sets.push((train, few_shot.sha256.clone(), portion.view));
                // Validation images have one view.
                if portion.view == 0 {
                    sets.push((val, few_shot.sha256, 0));
                }
            }
        }
        let count = |set: &ImageSet| rows.end.min(set.len()).saturating_sub(rows.start);
        let total: usize = sets.iter().map(|(set, _, _)| count(set)).sum();
        let mut done = 0;
        for (set, images, view) in &sets {
            self.features()
                .fill(set, images, *view, &rows, &mut |images| {
                    done += images;
                    // A scheduler that has exited will not read the reply either.
                    let _ = self
                        .channel
                        .progress(self.job.id, done as u64, total as u64);
                })?;
        }
        Ok(JobOutput::Features {
            images: total as u64,
        })
    }

    fn bench(&self, task: TaskData) -> Result<HostBench, JobError> {
        let id = self.job.id;
        bench(self.backbone_ref, &self.loaded, task, (id, self.channel))
    }

    /// The bench for evaluations, which has only the test split.
    pub(super) fn evaluation_bench(&self) -> Result<(HostBench, Tensor), JobError> {
        let whole = self.whole(Split::Test);
        let test = self.features().all(&whole, ALL, 0)?;
        let pixels = Arc::new(SplitPixels::new(None, whole));
        let task = TaskData::evaluation(self.facts(), test.clone())?.with_pixels(pixels);
        Ok((self.bench(task)?, test))
    }

    pub(super) fn facts(&self) -> TaskFacts {
        task_facts(
            &self.dataset_ref.name,
            classes(self.dataset.classes()),
            self.dataset.templates(),
        )
    }

    /// C, the number of classes.
    pub(super) fn class_count(&self) -> usize {
        self.dataset.classes().len()
    }

    pub(super) fn test_labels(&self) -> &[u32] {
        &self.dataset.split(Split::Test).labels
    }

    pub(super) fn zero_shot(&self) -> Result<JobOutput, JobError> {
        let (bench, features) = self.evaluation_bench()?;
        let classes = self.dataset.classes().len();
        let classifier = bench.class_embeddings()?;
        let evaluation = evaluate(self.test_labels(), classes, |rows| {
            let rows = Tensor::new(rows, &Device::Cpu)?;
            let logits = bench.zero_shot(&features.index_select(&rows, 0)?, &classifier)?;
            let logits = logits.flatten_all()?.to_vec1::<f32>()?;
            match logits.iter().find(|v| !v.is_finite()) {
                Some(bad) => Err(JobError::Failed(format!("a zero-shot logit is {bad}"))),
                None => Ok(logits),
            }
        })?;
        Ok(JobOutput::ZeroShot {
            evaluation,
            text: Some(ClassEmbeddings {
                width: classifier.dim(1)?,
                values: classifier.flatten_all()?.to_vec1()?,
            }),
        })
    }

    pub(super) fn train(
        &self,
        (method_ref, method): (&MethodRef, &MethodHandle),
        draw: Draw,
        recipe: &RecipeChanges,
        path: &Path,
    ) -> Result<JobOutput, JobError> {
        let (bench, few_shot) = self.training_bench(draw)?;
        let job = TrainJob {
            seed: draw.seeds.training,
            recipe: recipe.clone(),
            check_gradients: false,
        };
        let start = Instant::now();
        let trained = method.train(bench.object(), &job)?;
        let train_seconds = start.elapsed().as_secs_f64();
        let summary = trained.summary;
        let origin = self.origin(method_ref, draw, summary.recipe.clone())?;
        let module = with_origin(&trained.module, origin)
            .map_err(|error| JobError::Failed(format!("the trained module: {error}")))?;
        // A draft: the scheduler syncs it and moves it into context.
        fs_err::write(path, &module)?;
        // Evaluated from the bytes that another process would read.
        let (evaluation, _) = self.evaluate_module(method, &module)?;
        Ok(JobOutput::Trained(Box::new(TrainedModule {
            evaluation,
            module_sha256: sha256_hex(&module),
            module_bytes: module.len() as u64,
            parameters_sha256: parameters_sha256(&module)?,
            parameters: summary.parameters,
            steps: summary.steps,
            train_seconds,
            final_loss: summary.final_loss,
            losses: losses(summary.losses)?,
            text: bench.text_work().map(text_work),
            recipe: summary.recipe,
            picks_sha256: few_shot.sha256,
        })))
    }

    /// The bench for a training on a few-shot draw, which has no test split.
    pub(super) fn training_bench(&self, draw: Draw) -> Result<(HostBench, FewShotSplit), JobError> {
        let few_shot = self.few_shot(draw);
        let (train, val) = self.drawn(&few_shot, draw);
        let features = |set: &ImageSet, view| self.features().all(set, &few_shot.sha256, view);
        let views = (0..train.views()).map(|view| features(&train, view));
        let task = TaskData::training(
            self.facts(),
            views.collect::<Result<_, _>>()?,
            self.labels(Split::Train, &few_shot.train),
            (features(&val, 0)?, self.labels(Split::Val, &few_shot.val)),
        );
        let test = self.whole(Split::Test);
        let task = task.with_pixels(Arc::new(SplitPixels::new(Some((train, val)), test)));
        Ok((self.bench(task)?, few_shot))
    }

    /// Some of the picked training images as they are, without augmentation.
    pub(super) fn batch(&self, draw: Draw, rows: &[u32]) -> Result<ImageBatch, JobError> {
        let few_shot = self.few_shot(draw);
        let (train, _) = self.drawn(&few_shot, draw);
        let features = self.features().all(&train, &few_shot.sha256, 0)?;
        let labels = self.labels(Split::Train, &few_shot.train);
        let pixels = rows.iter().map(|row| train.image(*row as usize, 0));
        let pixels = pixels.collect::<Result<Vec<_>, _>>()?;
        Ok(ImageBatch {
            features: features.index_select(&Tensor::new(rows, &Device::Cpu)?, 0)?,
            pixels: Tensor::stack(&pixels, 0)?,
            labels: rows.iter().map(|row| labels[*row as usize]).collect(),
        })
    }

    /// Number of training images that are picked.
    pub(super) fn training_rows(&self, draw: Draw) -> usize {
        self.few_shot(draw).train.len()
    }

    pub(super) fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    pub(super) fn backbone(&self) -> &Backbone {
        &self.loaded.backbone
    }

    /// What identifies the inputs of a training, for the header of its module.
    fn origin(
        &self,
        method: &MethodRef,
        draw: Draw,
        recipe: Option<Recipe>,
    ) -> Result<ModuleOrigin, NotOnDisk> {
        let templates = self.dataset.templates().to_vec();
        let lines: String = templates.iter().map(|line| format!("{line}\n")).collect();
        Ok(ModuleOrigin {
            plugin_sha256: method.plugin_sha256.clone(),
            source_sha256: self.backbone_ref.files()?.sha256.clone(),
            dataset_sha256: self.dataset_ref.files()?.manifest_sha256.clone(),
            class_names: self.dataset.class_names().to_vec(),
            templates_sha256: sha256_hex(lines.as_bytes()),
            templates,
            shots: draw.shots,
            split_seed: Some(draw.seeds.split).filter(|split| *split != draw.seeds.training),
            sampler: draw.sampler.to_string(),
            recipe,
        })
    }

    /// Labels of picked images of a split.
    fn labels(&self, split: Split, indices: &[usize]) -> Vec<u32> {
        let labels = &self.dataset.split(split).labels;
        indices.iter().map(|&index| labels[index]).collect()
    }

    pub(super) fn inject(&self, method: &MethodHandle, path: &Path) -> Result<JobOutput, JobError> {
        let module = fs_err::read(path)?;
        let (evaluation, after) = self.evaluate_module(method, &module)?;
        Ok(JobOutput::Injected {
            evaluation,
            parameters_sha256_before: parameters_sha256(&module)?,
            parameters_sha256_after: parameters_sha256(&after)?,
        })
    }

    /// Injects a module and evaluates it; also returns the module as the plugin now has it.
    fn evaluate_module(
        &self,
        method: &MethodHandle,
        module: &[u8],
    ) -> Result<(Evaluation, Vec<u8>), JobError> {
        let (bench, _) = self.evaluation_bench()?;
        let predictor = method.inject(bench.object(), module)?;
        let classes = self.dataset.classes().len();
        let evaluation = evaluate(self.test_labels(), classes, |rows| {
            Ok(predictor.logits(Part::Test, rows, classes)?)
        })?;
        Ok((evaluation, predictor.module()?))
    }
}

/// The classes of a data set as a plugin sees them.
pub(super) fn classes(classes: &[harness_data::Class]) -> Vec<harness_abi::wire::Class> {
    let classes = classes.iter().map(|class| harness_abi::wire::Class {
        id: class.id.clone(),
        name: class.name.clone(),
    });
    classes.collect()
}

/// The curve of a training, if it is one.
fn text_work(work: harness_backbone::TextWork) -> TextWork {
    TextWork {
        path: match work.path {
            harness_backbone::TextPath::Kernels => TextPath::Kernels,
            harness_backbone::TextPath::Device => TextPath::Device,
            harness_backbone::TextPath::Operations => TextPath::Operations,
        },
        tokens: work.tokens,
        computed: work.computed,
        first_block: work.first_block,
    }
}

fn losses(losses: Vec<f32>) -> Result<Vec<f32>, JobError> {
    if losses.len() > TrainSummary::MOST_LOSSES {
        let most = TrainSummary::MOST_LOSSES;
        return Err(JobError::Failed(format!(
            "the plugin reports {} losses of a training, expected at most {most}",
            losses.len()
        )));
    }
    match losses.iter().find(|loss| !loss.is_finite()) {
        Some(bad) => Err(JobError::Failed(format!(
            "the plugin reports a loss of {bad}"
        ))),
        None => Ok(losses),
    }
}

/// Hash of the carried tensors alone: names, shapes and values, in name order.
fn parameters_sha256(module: &[u8]) -> Result<String, JobError> {
    let broken = |e| JobError::Failed(format!("the module is not a safetensors file: {e}"));
    let file = SafeTensors::deserialize(module).map_err(broken)?;
    let mut names = file.names();
    names.sort_unstable();
    let mut hash = Sha256::default();
    for name in names {
        let view = file.tensor(name).map_err(broken)?;
        hash.update(format!("{name}{:?}{:?}\n", view.dtype(), view.shape()).as_bytes());
        hash.update(view.data());
    }
    Ok(hash.hex())
}
