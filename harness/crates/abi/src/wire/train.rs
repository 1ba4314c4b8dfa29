//! Training and probing.

use serde::{Deserialize, Serialize};

use super::{Recipe, RecipeChanges, Split};

/// What a method would train in a setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// The module's tensors.
    pub parameters: Vec<ParameterShape>,
    /// The method's own recipe with this configuration; none if it states none.
    #[serde(default, deserialize_with = "super::recipe::stated")]
    pub recipe: Option<Recipe>,
}

/// A tensor of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterShape {
    /// Name in the module file.
    pub name: String,
    /// 0 is a dynamic dimension: the module file determines it (the number of training
    /// images, for example).
    pub shape: Vec<usize>,
    /// The dimension with one entry per class, if any. The entries are in the order of the
    /// class ids in the module's header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_axis: Option<usize>,
    /// Whether it is left out where the backbone has no counterpart. Since ABI 1.1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Whether it is carried but not trained. Since ABI 1.1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
}

/// A request to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainJob {
    /// Seed of initialisation and batch order.
    pub seed: u64,
    /// Changes to the method's own recipe.
    #[serde(default, deserialize_with = "super::recipe::changes")]
    pub recipe: RecipeChanges,
    /// Whether to compare the gradients of the first step with finite differences of the loss,
    /// and to stop where they differ. Ignored by SDKs that do not know it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub check_gradients: bool,
}

/// The outcome of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainSummary {
    /// Optimizer steps taken.
    pub steps: u64,
    /// Number of trained values.
    pub parameters: u64,
    /// Loss of the last step; none without steps.
    pub final_loss: Option<f64>,
    /// Mean loss of each of the equal stretches of the steps, in order: one an epoch, but at most
    /// [`Self::MOST_LOSSES`]. Empty without steps and from SDKs that do not say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<f32>,
    /// The recipe that was used; none if the method states none.
    #[serde(default, deserialize_with = "super::recipe::stated")]
    pub recipe: Option<Recipe>,
    /// Whether gradients were compared with finite differences, see
    /// [`TrainJob::check_gradients`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checked_gradients: bool,
}

impl TrainSummary {
    /// Entries of `losses` at most.
    pub const MOST_LOSSES: usize = 100;
}

/// Images to probe a module on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Which split.
    pub split: Split,
    /// Which images of it.
    pub rows: Vec<u32>,
}

/// JSON of a reply to a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeReply {
    /// The loss.
    pub loss: f64,
    /// Names of the trained parameters, in the order of their gradients.
    pub gradients: Vec<String>,
}
