//! One cell of a report: a method on a data set, across an upgrade.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::condition::Condition;
use crate::seeds::Seeds;
use crate::upgrade::Upgrade;

/// One method × data set × shots × seed × upgrade, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Label of a method of the report.
    pub method: String,
    /// Name of a data set of the report.
    pub dataset: String,
    /// Training images per class.
    pub shots: u32,
    pub seed: Seeds,
    pub upgrade: Upgrade,
    pub status: Status,
    pub conditions: Conditions,
    /// How the module was trained on the source; absent when it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// What training on the target took; absent where nothing was retrained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retraining: Option<Retraining>,
    /// Tensors of the module that the target has no counterpart of, block numbers as `*`:
    /// the module was injected without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// What predictions and confidences say beyond right and wrong; absent in older
    /// reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// What the cell used; absent when nothing was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Command line that runs this cell again, and only this cell.
    pub rerun: String,
}

/// How a cell ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Status {
    /// Base and New were measured.
    Ok,
    /// The module does not fit the target: a result, not an error.
    NotInjectable { reason: String },
    /// The plugin or the host answered with an error.
    Failed { message: String },
    /// The worker process ended before it answered.
    Crashed {
        message: String,
        /// The end of what the worker wrote.
        log: String,
    },
    /// The cell's time limit passed and its process group was ended.
    TimedOut {
        /// The limit.
        seconds: f64,
        /// The end of what the worker wrote.
        log: String,
    },
    /// Outstanding: the run ended before the cell's turn.
    NotRun,
}

impl Status {
    /// The status as one word, as the `Summary` line and the files spell it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotInjectable { .. } => "not-injectable",
            Self::Failed { .. } => "failed",
            Self::Crashed { .. } => "crashed",
            Self::TimedOut { .. } => "timed-out",
            Self::NotRun => "not-run",
        }
    }
}

/// The five conditions of a cell; absent where not measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// Z(s): the source backbone's zero-shot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_source: Option<Condition>,
    /// A(s→s), Base: the module where it was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Condition>,
    /// Z(t): the target backbone's zero-shot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_target: Option<Condition>,
    /// A(s→t), New: the same module, unchanged, in the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Condition>,
    /// A(t→t): a module trained on the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oracle: Option<Condition>,
}

impl Conditions {
    /// The conditions that were measured, with the name each has in a file.
    pub fn measured(&self) -> impl Iterator<Item = (&'static str, &Condition)> {
        [
            ("zero_source", &self.zero_source),
            ("base", &self.base),
            ("zero_target", &self.zero_target),
            ("new", &self.new),
            ("oracle", &self.oracle),
        ]
        .into_iter()
        .filter_map(|(name, condition)| Some((name, condition.as_ref()?)))
    }
}

/// How a module was trained on the source, and that it was carried over unchanged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Optimiser steps.
    pub steps: u64,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Trained numbers.
    pub parameters: u64,
    /// Size of the module file in bytes.
    pub module_bytes: u64,
    /// SHA-256 of the module file.
    pub module_sha256: String,
    /// SHA-256 over the carried tensors before they were injected.
    pub parameters_sha256_before: String,
    /// The same after the evaluation on the target; absent when nothing was injected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters_sha256_after: Option<String>,
    /// Loss of the last step; absent for a module that is built without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_loss: Option<f64>,
    /// Mean loss of each of the equal stretches of the steps, in order: one an epoch, but at most
    /// 100. Empty without steps and where the plugin does not say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<f32>,
    /// How the text tower computed the prompts of the training; absent where no prompt was trained,
    /// and in older reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextWork>,
    /// The recipe that was followed, overrides included.
    pub recipe: Value,
    /// SHA-256 over the training images that were drawn.
    pub picks_sha256: String,
    /// Whose order of draws was followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampler: Option<String>,
}

/// How the text tower computed the prompts of a training, over all its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextWork {
    /// What computed them.
    pub path: TextPath,
    /// Tokens of all prompts, up to their end tokens.
    pub tokens: u64,
    /// Tokens that were computed: what prompts begin with counts once; absent where it was not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computed: Option<u64>,
    /// The first block that ran at every step, from 0; the blocks below it ran once.
    pub first_block: usize,
}

/// What computes the text tower.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum TextPath {
    /// Kernels on the CPU, without a graph.
    Kernels,
    /// A GPU.
    Device,
    /// candle's operations: slower.
    Operations,
}

/// What training a module of the same method on the target took: the cost of A(t→t).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retraining {
    /// Optimiser steps.
    pub steps: u64,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// How predictions changed from A(s→s) to A(s→t), as fractions of all test images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Images with another prediction.
    pub churn: f64,
    /// Images with another prediction that is wrong, whatever it was before (NFR_mc,
    /// MUSCLE 2024).
    pub wrong_churn: f64,
    /// Negative flips weighted by how sure A(s→t) is of its mistake: the highest
    /// probability minus that of the true class.
    pub negative_weight: f64,
    /// Positive flips weighted in the same way by the mistake of A(s→s).
    pub positive_weight: f64,
}

/// What a cell used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    pub wall_seconds: f64,
    pub cpu_seconds: f64,
    /// Highest resident memory of the worker, in MiB.
    pub peak_mib: f64,
}
