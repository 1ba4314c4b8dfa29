//! The data a plugin may see, and when.

use candle_core::{Device, Tensor};
use harness_abi::{
    AbiError, ErrorKind,
    wire::{Split, TaskFacts},
};

/// What the plugin is doing, which decides what it may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reads the few-shot draws with their labels; the test split is closed.
    Training,
    /// Reads the test split's features; no labels.
    Evaluation,
}

/// The task: facts, and image features with labels by split.
#[derive(Clone, Debug)]
pub struct Task {
    facts: TaskFacts,
    phase: Phase,
    train: Draw,
    val: Draw,
    test: Option<Tensor>,
}

#[derive(Clone, Debug)]
struct Draw {
    /// `[n, E]`
    features: Tensor,
    labels: Vec<u32>,
}

impl Task {
    /// A training task on the picked images of the train and val splits.
    pub fn training(facts: TaskFacts, train: (Tensor, Vec<u32>), val: (Tensor, Vec<u32>)) -> Self {
        Self {
            facts: TaskFacts {
                train_rows: train.1.len(),
                val_rows: val.1.len(),
                ..facts
            },
            phase: Phase::Training,
            train: Draw {
                features: train.0,
                labels: train.1,
            },
            val: Draw {
                features: val.0,
                labels: val.1,
            },
            test: None,
        }
    }

    /// An evaluation task on the test split's features `[n, E]`.
    pub fn evaluation(facts: TaskFacts, test: Tensor) -> candle_core::Result<Self> {
        let none = Draw {
            features: test.narrow(0, 0, 0)?,
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
        })
    }

    pub(super) fn facts(&self) -> &TaskFacts {
        &self.facts
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Features `[rows, E]` of some rows of a split.
    pub(super) fn features(&self, split: Split, rows: &[u32]) -> Result<Tensor, AbiError> {
        let all = match split {
            Split::Train => &self.train.features,
            Split::Val => &self.val.features,
            Split::Test => self.test.as_ref().ok_or_else(closed)?,
        };
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
        let rows = Tensor::new(rows, &Device::Cpu).map_err(internal)?;
        all.index_select(&rows, 0).map_err(internal)
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

fn closed() -> AbiError {
    AbiError::new(
        ErrorKind::Request,
        "the test split is closed during training; select on the val split",
    )
}

pub(super) fn internal(error: candle_core::Error) -> AbiError {
    AbiError::new(ErrorKind::Internal, error.to_string())
}
