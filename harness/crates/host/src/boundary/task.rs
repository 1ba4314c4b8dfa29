//! The data a plugin may see, and when.

use std::{error::Error, fmt, sync::Arc};

use candle_core::{Device, Tensor};
use harness_abi::{
    AbiError, ErrorKind,
    wire::{ImageStage, Split, TaskFacts},
};

use super::activations::Activations;

/// What the plugin is doing, which decides what it may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reads the few-shot draws with their labels; the test split is closed.
    Training,
    /// Reads the test split's features; no labels.
    Evaluation,
}

/// Why the program around the host could not deliver something, whatever its own errors are.
pub type SourceError = Box<dyn Error + Send + Sync>;

/// Turns rows of a split into pixels.
pub trait Pixels: Send + Sync {
    /// Normalised pixels `[rows, 3, N, N]` of a view, as the image tower reads them. The
    /// rows and the view exist; the phase allows the split.
    fn pixels(&self, split: Split, rows: &[u32], view: u32) -> Result<Tensor, SourceError>;
}

/// The task: facts, and image features with labels by split.
#[derive(Clone)]
pub struct TaskData {
    facts: TaskFacts,
    phase: Phase,
    train: SplitRows,
    val: SplitRows,
    test: Option<Tensor>,
    pixels: Option<Arc<dyn Pixels>>,
    activations: Arc<Activations>,
}

#[derive(Clone, Debug)]
struct SplitRows {
    /// `[n, E]` for each view.
    views: Vec<Tensor>,
    labels: Vec<u32>,
}

impl TaskData {
    /// A training task on the picked images of the train split, with features `[n, E]` of
    /// every view, and of the val split.
    pub fn training(
        facts: TaskFacts,
        views: Vec<Tensor>,
        labels: Vec<u32>,
        val: (Tensor, Vec<u32>),
    ) -> Self {
        Self {
            facts: TaskFacts {
                train_rows: labels.len(),
                train_views: views.len(),
                val_rows: val.1.len(),
                ..facts
            },
            phase: Phase::Training,
            train: SplitRows { views, labels },
            val: SplitRows {
                views: vec![val.0],
                labels: val.1,
            },
            test: None,
            pixels: None,
            activations: Arc::default(),
        }
    }

    /// An evaluation task on the test split's features `[n, E]`.
    pub fn evaluation(facts: TaskFacts, test: Tensor) -> candle_core::Result<Self> {
        let none = SplitRows {
            views: vec![test.narrow(0, 0, 0)?],
            labels: vec![],
        };
        Ok(Self {
            facts: TaskFacts {
                train_rows: 0,
                val_rows: 0,
                ..facts
            },
            phase: Phase::Evaluation,
            train: none.clone(),
            val: none,
            test: Some(test),
            pixels: None,
            activations: Arc::default(),
        })
    }

    /// With pixels, for methods that have sites in the image tower.
    pub fn with_pixels(self, pixels: Arc<dyn Pixels>) -> Self {
        Self {
            pixels: Some(pixels),
            ..self
        }
    }

    pub(super) fn facts(&self) -> &TaskFacts {
        &self.facts
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Features `[rows, E]` of a view of some rows of a split.
    pub(super) fn features(
        &self,
        split: Split,
        rows: &[u32],
        view: u32,
    ) -> Result<Tensor, AbiError> {
        let all = self.checked(split, rows, view)?;
        let rows = Tensor::new(rows, &Device::Cpu).map_err(internal)?;
        all.index_select(&rows, 0).map_err(internal)
    }

    /// Pixels `[rows, 3, N, N]` of a view of some rows of a split.
    pub(super) fn pixels(&self, split: Split, rows: &[u32], view: u32) -> Result<Tensor, AbiError> {
        self.checked(split, rows, view)?;
        let source = self.pixels.as_ref().ok_or_else(|| {
            AbiError::new(
                ErrorKind::NotOffered,
                "this task holds features, but no pixels for the image tower",
            )
        })?;
        source
            .pixels(split, rows, view)
            .map_err(|error| AbiError::new(ErrorKind::Internal, error.to_string()))
    }

    /// Activations `[1, ..]` of each of some rows, from `compute` unless they are known. The
    /// task belongs to one backbone.
    pub(super) fn kept_activations(
        &self,
        split: Split,
        view: u32,
        rows: &[u32],
        stage: ImageStage,
        compute: &dyn Fn(&[u32]) -> Result<Tensor, AbiError>,
    ) -> Result<Vec<Tensor>, AbiError> {
        self.checked(split, rows, view)?;
        self.activations.get((split, view), rows, stage, compute)
    }

    /// All features of a view of a split that is open and has these rows.
    fn checked(&self, split: Split, rows: &[u32], view: u32) -> Result<&Tensor, AbiError> {
        let views = match split {
            Split::Train => self.train.views.as_slice(),
            Split::Val => self.val.views.as_slice(),
            Split::Test => std::slice::from_ref(self.test.as_ref().ok_or_else(closed)?),
        };
        let all = views.get(view as usize).ok_or_else(|| {
            AbiError::new(
                ErrorKind::Request,
                format!(
                    "view {view} of the {} split does not exist; it has {} here",
                    split.as_str(),
                    views.len()
                ),
            )
        })?;
        let total = all.dim(0).map_err(internal)?;
        if let Some(row) = rows.iter().find(|&&row| row as usize >= total) {
            return Err(AbiError::new(
                ErrorKind::Request,
                format!(
                    "row {row} of the {} split does not exist; it has {total} rows here",
                    split.as_str()
                ),
            ));
        }
        Ok(all)
    }

    pub(super) fn labels(&self, split: Split) -> Result<&[u32], AbiError> {
        match split {
            Split::Train => Ok(&self.train.labels),
            Split::Val => Ok(&self.val.labels),
            Split::Test => Err(AbiError::new(
                ErrorKind::Request,
                "the labels of the test split are not given out",
            )),
        }
    }
}

impl fmt::Debug for TaskData {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TaskData")
            .field("facts", &self.facts)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

fn closed() -> AbiError {
    AbiError::new(
        ErrorKind::Request,
        "the test split is closed during training; select on the val split",
    )
}

pub(super) fn internal(error: candle_core::Error) -> AbiError {
    AbiError::new(ErrorKind::Internal, error.to_string())
}
