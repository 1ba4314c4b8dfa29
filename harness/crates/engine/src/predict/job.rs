//! The work of one batch of images, and what a worker replies.

use std::path::PathBuf;

use harness_abi::wire::Class;
use serde::{Deserialize, Serialize};

use crate::job::{BackboneRef, MethodRef};

/// Images to classify with a module in a backbone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictJob {
    pub method: MethodRef,
    pub backbone: BackboneRef,
    /// The module's file.
    pub module: PathBuf,
    /// Name of the data set that the classes are of.
    pub dataset: String,
    /// In the order of the labels.
    pub classes: Vec<Class>,
    /// With one `{}` each for the class name.
    pub templates: Vec<String>,
    pub images: Vec<PathBuf>,
    /// Labels that are wanted of each image.
    pub top: usize,
}

/// A class with its softmax probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Position among the classes.
    pub class: usize,
    pub score: f64,
}

/// What is said of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The classes of highest score, in descending order.
    pub labels: Vec<Scored>,
    /// What the backbone says without the module.
    pub zero_shot: Scored,
}
