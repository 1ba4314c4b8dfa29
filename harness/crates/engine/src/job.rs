//! Messages between the scheduler and a worker process: one JSON value a line.
//!
//! A worker reads [`Job`]s from its stdin and answers each with any number of
//! [`Line::Progress`] and exactly one [`Line::Reply`] on its stdout.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use harness_abi::wire::{Recipe, RecipeChanges};
use harness_data::{OpenOptions, Sampler};
use harness_report::{Seeds, TextWork};
use harness_store::Key;
use serde::{Deserialize, Serialize};

pub use crate::author_job::{
    CheckWork, Compared, ComparisonStep, ComparisonWork, MethodCheck, Moved, Trial, TrialWork,
};
use crate::images::ImageOptions;
pub use crate::plugin_ref::{PluginRef, ScriptRef};
use crate::predict::{PredictJob, Prediction};

/// A method of a plugin together with its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodRef {
    pub plugin: PluginRef,
    /// SHA-256 of the library, so that a rebuilt plugin is another method; of a script, over the
    /// library that runs it and everything that the script is made of.
    pub plugin_sha256: String,
    /// The method's id inside the plugin.
    pub id: String,
    /// The method's own configuration, as the suite gave it.
    pub config: serde_json::Value,
}

/// What only the files of an input say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence<T> {
    /// The files are on disk and were read.
    Present(T),
    /// The files are not on disk.
    Absent,
}

impl<T> Presence<T> {
    /// The value, if the files are on disk.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent => None,
        }
    }

    /// The value of the input of this name, where nothing can be done without it.
    fn required(&self, name: &str) -> Result<&T, NotOnDisk> {
        self.present().ok_or_else(|| NotOnDisk {
            name: name.to_owned(),
        })
    }
}

/// The files of a backbone or data set are needed and are not on disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not on disk")]
pub struct NotOnDisk {
    pub name: String,
}

/// A backbone under the suite's name for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackboneRef {
    pub name: String,
    pub files: Presence<BackboneFiles>,
}

/// A backbone on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackboneFiles {
    /// The folder that holds the weights, the config and the tokenizer.
    #[serde(with = "harness_store::json_path")]
    pub path: PathBuf,
    /// SHA-256 over everything that decides what the backbone computes.
    pub sha256: String,
    /// Side of its images in pixels, if it is not the weights' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_size: Option<usize>,
}

impl BackboneRef {
    /// Its files.
    ///
    /// # Errors
    /// They are not on disk.
    pub fn files(&self) -> Result<&BackboneFiles, NotOnDisk> {
        self.files.required(&self.name)
    }
}

/// A data set under the suite's name for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetRef {
    pub name: String,
    pub files: Presence<DatasetFiles>,
}

impl DatasetRef {
    /// Its files.
    ///
    /// # Errors
    /// They are not on disk.
    pub fn files(&self) -> Result<&DatasetFiles, NotOnDisk> {
        self.files.required(&self.name)
    }
}

/// A data set on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetFiles {
    #[serde(with = "harness_store::json_path")]
    pub path: PathBuf,
    /// How it is read.
    #[serde(default)]
    pub opening: OpenOptions,
    /// Hash of the data manifest: items, labels, class names, templates, pixels.
    pub manifest_sha256: String,
}

/// The few-shot draw that a module is trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Draw {
    /// Training images per class.
    pub shots: u32,
    /// Of the split, and of the training on it.
    pub seeds: Seeds,
    #[serde(default)]
    pub sampler: Sampler,
}

impl Draw {
    /// A draw by the default sampler.
    pub fn new(shots: u32, seeds: Seeds) -> Self {
        Self {
            shots,
            seeds,
            sampler: Sampler::default(),
        }
    }
}

/// Images whose features one job computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Portion {
    /// The few-shot draw, train and val images; none: the test split.
    pub draw: Option<Draw>,
    /// View of the training images.
    pub view: u32,
    /// Which stretch of [`PORTION_ROWS`] images.
    pub number: usize,
}

/// Images of a [`Portion`]: few enough that workers share a large data set.
pub const PORTION_ROWS: usize = 4 * harness_store::SHARD_ROWS;

/// A module that is put into a backbone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModuleSource {
    /// In the store, under the key of the training that wrote it.
    Training { key: Key },
    /// In a file, trained elsewhere.
    File {
        #[serde(with = "harness_store::json_path")]
        path: PathBuf,
        sha256: String,
    },
}

/// Work whose result is stored on its own, under a key of everything that can change it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitWork {
    /// Ask whether a method fits a backbone, from dimensions alone.
    Survey {
        method: MethodRef,
        backbone: BackboneRef,
        dataset: DatasetRef,
    },
    /// Encode images of a data set and keep the features in the store.
    Features {
        backbone: BackboneRef,
        dataset: DatasetRef,
        portion: Portion,
        images: ImageOptions,
    },
    /// Evaluate the backbone alone: Z(backbone).
    ZeroShot {
        backbone: BackboneRef,
        dataset: DatasetRef,
        images: ImageOptions,
    },
    /// Train a module, write it to a file, and evaluate it where it was trained.
    Train {
        method: MethodRef,
        backbone: BackboneRef,
        dataset: DatasetRef,
        draw: Draw,
        images: ImageOptions,
        /// Changes to the method's own recipe.
        recipe: RecipeChanges,
    },
    /// Put a trained module into a backbone, unchanged, and evaluate it there.
    Inject {
        method: MethodRef,
        backbone: BackboneRef,
        dataset: DatasetRef,
        images: ImageOptions,
        module: ModuleSource,
    },
}

impl UnitWork {
    /// The method that takes part.
    pub(crate) fn method(&self) -> Option<&MethodRef> {
        match self {
            Self::Survey { method, .. }
            | Self::Train { method, .. }
            | Self::Inject { method, .. } => Some(method),
            Self::Features { .. } | Self::ZeroShot { .. } => None,
        }
    }

    /// The backbone whose weights are needed.
    pub(crate) fn weights(&self) -> Option<&BackboneRef> {
        match self {
            Self::Survey { .. } => None,
            Self::Features { backbone, .. }
            | Self::ZeroShot { backbone, .. }
            | Self::Train { backbone, .. }
            | Self::Inject { backbone, .. } => Some(backbone),
        }
    }
}

/// One thing for a worker to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Read a plugin's descriptor.
    Inspect { plugin: PluginRef },
    /// Ask what every method of a plugin would train in a setting, by default.
    Declare {
        plugin: PluginRef,
        setting: Box<harness_abi::wire::Setting>,
    },
    /// Classify images with a module.
    Predict(Box<PredictJob>),
    /// Check a method; a check that fails is a failure with the reason.
    Check(Box<CheckWork>),
    /// Train a method once and move its module, without storing anything but image features.
    Try(Box<TrialWork>),
    /// Compare what a method computes with a file, or write what such a file needs.
    Compare(Box<ComparisonWork>),
    /// Do a unit of a plan.
    Unit {
        work: Box<UnitWork>,
        /// File that a training writes its module to and an injection reads it from.
        #[serde(with = "harness_store::json_path::optional", default)]
        module: Option<PathBuf>,
    },
}

/// One request: a line on the worker's stdin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: u64,
    /// Root of the content-addressed store.
    #[serde(with = "harness_store::json_path")]
    pub store: PathBuf,
    pub work: Work,
}

/// Predictions on the whole test split, in the data set's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Predicted class of each test image.
    pub predictions: Vec<u32>,
    /// True class of each test image.
    pub labels: Vec<u32>,
    /// Softmax probability of each predicted class.
    #[serde(default)]
    pub confidences: Vec<f32>,
    /// Softmax probability of each true class.
    #[serde(default)]
    pub of_truth: Vec<f32>,
    /// SHA-256 over the f32 logits in little-endian order.
    pub logits_sha256: String,
    /// Wall-clock seconds of the evaluation.
    pub seconds: f64,
}

/// Text embeddings of the classes, as the zero-shot uses them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassEmbeddings {
    pub width: usize,
    /// `[classes, width]`, row by row.
    pub values: Vec<f32>,
}

/// What a worker used for a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    pub wall_seconds: f64,
    pub cpu_seconds: f64,
    /// Highest resident memory of the worker so far, in MiB.
    pub peak_mib: f64,
}

/// What a method would train in a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Declaration {
    Parameters(Vec<harness_abi::wire::ParameterShape>),
    NotInjectable(String),
}

/// The result of a [`Work`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobOutput {
    /// The plugin's descriptor, as its JSON.
    Inspected {
        descriptor: serde_json::Value,
    },
    /// Each method by its id: what it would train, or why it cannot.
    Declared {
        methods: BTreeMap<String, Declaration>,
    },
    /// A check passed.
    Checked {
        /// What is worth knowing nevertheless.
        note: Option<String>,
    },
    Tried(Trial),
    /// The quantities that were compared.
    Compared(Vec<Compared>),
    /// The inputs of a comparison were written.
    InputsWritten,
    /// The method fits.
    Surveyed {
        /// Number of trained parameters.
        parameters: u64,
        /// Shape of each trained tensor by name. A module fits where these are
        /// the same as on its source.
        shapes: BTreeMap<String, Vec<usize>>,
        /// The dimension of a tensor that has one entry for each class.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        class_axes: BTreeMap<String, usize>,
        /// Tensors that are left out where a target has no counterpart.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        optional: BTreeSet<String>,
        /// The method's own recipe; none if it states none.
        recipe: Option<Recipe>,
    },
    Features {
        images: u64,
    },
    ZeroShot {
        evaluation: Evaluation,
        #[serde(default)]
        text: Option<ClassEmbeddings>,
    },
    Trained(Box<TrainedModule>),
    Predicted {
        /// One an image; none where images cannot be read.
        predictions: Vec<Prediction>,
        /// What is wrong with the images that cannot be read.
        unreadable: Vec<String>,
    },
    Injected {
        evaluation: Evaluation,
        /// SHA-256 over the carried tensors as read from the module file.
        parameters_sha256_before: String,
        /// The same, asked back from the plugin after the evaluation.
        parameters_sha256_after: String,
    },
}

/// A module that was trained and evaluated where it was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainedModule {
    pub evaluation: Evaluation,
    /// SHA-256 of the module file.
    pub module_sha256: String,
    /// Size of the module file.
    pub module_bytes: u64,
    /// SHA-256 over the carried tensors alone.
    pub parameters_sha256: String,
    pub parameters: u64,
    pub steps: u64,
    pub train_seconds: f64,
    /// Loss of the last step; none when no step was taken.
    pub final_loss: Option<f64>,
    /// Mean loss of each stretch of the steps; empty where the plugin does not say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<f32>,
    /// How prompts that gradients were asked of were computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextWork>,
    /// The recipe that was used; none if the method states none.
    pub recipe: Option<Recipe>,
    /// SHA-256 over the picked training images.
    pub picks_sha256: String,
}

/// How a job ended, as the worker reports it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Done {
        output: Box<JobOutput>,
        usage: Usage,
    },
    /// The module does not fit the backbone; a result, not an error.
    NotInjectable {
        reason: String,
    },
    Failed {
        message: String,
    },
    /// A process that the worker started for the plugin ended.
    Crashed {
        message: String,
    },
    /// The worker's GPU had too little memory.
    DeviceMemory {
        message: String,
    },
    /// A file could not be written for lack of room: nothing that the cell can help.
    Unwritten {
        message: String,
    },
}

impl Outcome {
    /// The digest of the module file that a training wrote.
    pub fn module_sha256(&self) -> Option<&str> {
        match self {
            Outcome::Done { output, .. } => match output.as_ref() {
                JobOutput::Trained(trained) => Some(&trained.module_sha256),
                _ => None,
            },
            _ => None,
        }
    }
}

/// One line on the worker's stdout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// A warning for the user; the job continues.
    Warning {
        message: String,
    },
    Progress {
        id: u64,
        done: u64,
        total: u64,
    },
    Reply {
        id: u64,
        outcome: Outcome,
    },
}
