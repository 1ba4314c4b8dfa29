//! The host's side of the boundary: one backbone with one task, for a plugin.

mod activations;
mod bench;
mod class_features;
mod facts;
mod image;
mod normalize;
mod request;
mod service;
mod tape;
mod task;
mod text;
mod vocabulary;

pub use bench::{HostBench, Observer};
pub use class_features::ClassFeatures;
pub use facts::{backbone_facts, setting, task_facts};
pub use task::{Phase, Pixels, SourceError, TaskData};
pub use vocabulary::Vocabulary;
